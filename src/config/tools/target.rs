//! What a tool does: exactly one kind of thing.

use serde::Deserialize;

use super::command::{CommandSection, CommandTarget};
use super::http::{HttpSection, HttpTarget};
use super::mcp::McpTarget;
use crate::base::Span;
use crate::config::reading::{Complained, Length, Located, Position, Reader};

/// What a tool does when it is called.
#[derive(Clone, Debug)]
pub enum Target {
    Http(HttpTarget),
    Command(CommandTarget),
    Mcp(McpTarget),
}

/// Exactly one of the two: what may be a probe.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetSection {
    pub(super) http: Option<Located<HttpSection>>,
    pub(super) command: Option<Located<CommandSection>>,
}

impl TargetSection {
    /// `at` is where to point when there is not exactly one.
    pub(super) fn read(self, at: Position, reader: &mut Reader<'_>) -> Result<Target, Complained> {
        match (self.http, self.command) {
            (Some(http), None) => http.value.read(http.at, reader).map(Target::Http),
            (None, Some(command)) => command.value.read(command.at, reader).map(Target::Command),
            (None, None) | (Some(_), Some(_)) => Err(reader.complain(
                at,
                "it must do exactly one thing when it is called",
                "write either `http:` or `command:`",
            )),
        }
    }
}

/// How long a call may take.
pub(in crate::config) fn timeout(
    written: Option<Located<Length>>,
    default: Span,
    reader: &mut Reader<'_>,
) -> Span {
    let Some(written) = written else {
        return default;
    };
    if written.0 == Span::ZERO {
        let text = "no call ends within no time";
        reader.complain(written.at, text, "give it at least a second");
    }
    written.value.0
}
