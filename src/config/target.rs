//! The two kinds of tool: an HTTP request, and a program.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;

use super::mask::is_secret_key;
use super::reader::{Complained, Reader};
use super::secret::{Written, variable_name};
use super::shape::{Length, Named, OneOrMany};
use super::{Located, Position};
use crate::base::Span;

/// What a tool does when it is called.
#[derive(Clone, Debug)]
pub enum Target {
    Http(HttpTarget),
    Command(CommandTarget),
}

/// An HTTP request. Texts are minijinja templates over `args`.
#[derive(Clone, Debug)]
pub struct HttpTarget {
    pub method: Method,
    pub url: Located<String>,
    pub headers: BTreeMap<String, Located<String>>,
    pub body: Body,
    pub credential: Option<Credential>,
    /// How long the whole call may take before its outcome counts as unknown.
    pub timeout: Span,
    /// Hosts that may resolve to private addresses. Everywhere else they are refused.
    pub allow_private: Vec<Located<String>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What an HTTP request carries.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Body {
    /// Nothing at all.
    None,
    /// The arguments, as JSON.
    Args,
    /// JSON whose texts are templates.
    Template(Value),
}

/// As whom an HTTP tool acts.
#[derive(Clone, Debug)]
pub struct Credential {
    /// Shown on cards and kept in the audit log.
    pub name: String,
    pub secret: SecretString,
    /// The header that carries the bare secret; without it, `Authorization: Bearer <secret>`.
    pub header: Option<String>,
}

/// A program, started without a shell. Its arguments are minijinja templates over `args`.
#[derive(Clone, Debug)]
pub struct CommandTarget {
    /// The program and its arguments; never empty.
    pub argv: Vec<Located<String>>,
    pub cwd: Option<PathBuf>,
    /// The whole environment the program gets; nothing is inherited.
    pub env: BTreeMap<String, SecretString>,
    /// As whom it acts, for cards and the audit log.
    pub credential: Option<String>,
    /// After this the program and its children are killed.
    pub timeout: Span,
    /// In bytes. What a program writes beyond this is cut off, visibly.
    pub max_output: u32,
}

const DEFAULT_HTTP_TIMEOUT: Span = Span::seconds(30);
const DEFAULT_COMMAND_TIMEOUT: Span = Span::seconds(60);
const DEFAULT_MAX_OUTPUT: u32 = 64 * 1024;

/// Exactly one of the two.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TargetSection {
    pub(super) http: Option<Located<HttpSection>>,
    pub(super) command: Option<Located<CommandSection>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HttpSection {
    method: Method,
    url: Located<String>,
    #[serde(default)]
    headers: Named<Located<String>>,
    body: Option<Body>,
    credential: Option<Located<CredentialSection>>,
    timeout: Option<Located<Length>>,
    #[serde(default)]
    allow_private: OneOrMany,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CredentialSection {
    name: String,
    secret: Option<Located<String>>,
    secret_file: Option<Located<String>>,
    header: Option<String>,
}

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

impl HttpSection {
    fn read(self, at: Position, reader: &mut Reader<'_>) -> Result<HttpTarget, Complained> {
        for name in self.headers.keys().filter(|name| is_secret_key(name)) {
            let text = format!("the header `{}` would carry a secret", name.value);
            reader.complain(name.at, text, "use `credential:`, which keeps it out of the file");
        }
        let credential = self.credential.map(|credential| credential.read(reader)).transpose()?;
        let timeout = self.timeout.map_or(DEFAULT_HTTP_TIMEOUT, |timeout| timeout.0);
        if timeout == Span::ZERO {
            reader.complain(at, "no call ends within no time", "give `timeout` at least a second");
        }
        let default_body = match self.method {
            Method::Get | Method::Delete => Body::None,
            Method::Post | Method::Put | Method::Patch => Body::Args,
        };
        Ok(HttpTarget {
            method: self.method,
            url: self.url,
            headers: self.headers.into_iter().map(|(name, value)| (name.value, value)).collect(),
            body: self.body.unwrap_or(default_body),
            credential,
            timeout,
            allow_private: self.allow_private.0,
        })
    }
}

impl Located<CredentialSection> {
    fn read(self, reader: &mut Reader<'_>) -> Result<Credential, Complained> {
        let Self { value: section, at } = self;
        let secret =
            Written { field: "secret", value: section.secret, file: section.secret_file };
        let secret = reader.secret(at, secret)?;
        Ok(Credential { name: section.name, secret, header: section.header })
    }
}

impl CommandSection {
    fn read(self, at: Position, reader: &mut Reader<'_>) -> Result<CommandTarget, Complained> {
        if self.argv.is_empty() {
            reader.complain(at, "`argv` names no program", "write `argv: [program, argument]`");
        }
        let timeout = self.timeout.map_or(DEFAULT_COMMAND_TIMEOUT, |timeout| timeout.0);
        if timeout == Span::ZERO {
            reader.complain(at, "no call ends within no time", "give `timeout` at least a second");
        }
        let mut env = BTreeMap::new();
        for (name, value) in self.env {
            // A plain value such as a PATH may stand in the file; a secret may not.
            if variable_name(&value).is_some() || is_secret_key(&name) {
                env.insert(name.value.clone(), reader.variable(&name, &value)?);
            } else {
                env.insert(name.value, value.value.into());
            }
        }
        Ok(CommandTarget {
            argv: self.argv,
            cwd: self.cwd.map(|cwd| reader.path(&cwd)),
            env,
            credential: self.credential,
            timeout,
            max_output: self.max_output.unwrap_or(DEFAULT_MAX_OUTPUT),
        })
    }
}
