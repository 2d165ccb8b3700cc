//! Tools that are programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::target::timeout;
use crate::agent::EnvironmentValue;
use crate::base::Span;
use crate::config::reading::{
    Complained, Length, Located, Named, Position, Reader, is_secret_key, variable_name,
};

/// A program, started without a shell. Its arguments are minijinja templates over `args` and
/// `key`.
#[derive(Clone, Debug)]
pub struct CommandTarget {
    /// The program and its arguments; never empty.
    pub argv: Vec<Located<String>>,
    pub cwd: Option<PathBuf>,
    /// The whole environment the program gets, beside `COUNTERSIGN_KEY`; nothing is inherited.
    pub environment: BTreeMap<String, EnvironmentValue>,
    /// As whom it acts, for cards and the audit log.
    pub credential: Option<String>,
    /// After this the program and its children are killed.
    pub timeout: Span,
    /// In bytes. What a program writes beyond this is cut off, visibly.
    pub max_output: u32,
    /// Exit codes by which the program says that it changed nothing. Any other failure leaves the
    /// outcome unknown.
    pub fails_cleanly: Vec<u8>,
}

const DEFAULT_COMMAND_TIMEOUT: Span = Span::seconds(60);
const DEFAULT_MAX_OUTPUT: u32 = 64 * 1024;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CommandSection {
    argv: Vec<Located<String>>,
    cwd: Option<String>,
    #[serde(default)]
    env: Named<Located<String>>,
    credential: Option<String>,
    timeout: Option<Located<Length>>,
    max_output: Option<u32>,
    #[serde(default)]
    fails_cleanly: Vec<u8>,
}

impl CommandSection {
    pub(super) fn read(
        self,
        at: Position,
        reader: &mut Reader<'_>,
    ) -> Result<CommandTarget, Complained> {
        if self.argv.is_empty() {
            reader.complain(at, "`argv` names no program", "write `argv: [program, argument]`");
        }
        Ok(CommandTarget {
            argv: self.argv,
            cwd: self.cwd.map(|cwd| reader.path(&cwd)),
            environment: environment(self.env, reader)?,
            credential: self.credential,
            timeout: timeout(self.timeout, DEFAULT_COMMAND_TIMEOUT, reader),
            max_output: self.max_output.unwrap_or(DEFAULT_MAX_OUTPUT),
            fails_cleanly: self.fails_cleanly,
        })
    }
}

/// The whole environment of a program. A plain value such as a PATH may stand in the file; a secret
/// may not.
pub(in crate::config) fn environment(
    written: Named<Located<String>>,
    reader: &mut Reader<'_>,
) -> Result<BTreeMap<String, EnvironmentValue>, Complained> {
    let mut environment = BTreeMap::new();
    for (name, value) in written {
        let value = if variable_name(&value).is_some() || is_secret_key(&name) {
            EnvironmentValue::Secret(reader.variable(&name, &value)?)
        } else {
            EnvironmentValue::Plain(value.value)
        };
        environment.insert(name.value, value);
    }
    Ok(environment)
}
