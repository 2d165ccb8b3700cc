//! `mcp:` servers that offer tools by the Model Context Protocol.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::tools::{CredentialSection, environment, timeout};
use crate::agent::{McpCommandSpec, McpHttpSpec, McpServerSpec, McpTransportSpec};
use crate::base::Span;
use crate::config::reading::{
    Complained, Length, Located, Named, OneOrMany, Position, Reader, values,
};

/// One MCP server under the name that tools use for it.
#[derive(Clone, Debug)]
pub struct McpServer {
    pub name: Located<String>,
    pub transport: McpTransportSpec,
    /// For each of greeting, listing and calling.
    pub timeout: Span,
}

const DEFAULT_TIMEOUT: Span = Span::seconds(60);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    command: Option<Located<CommandSection>>,
    http: Option<Located<HttpSection>>,
    timeout: Option<Located<Length>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommandSection {
    argv: Vec<Located<String>>,
    cwd: Option<String>,
    #[serde(default)]
    env: Named<Located<String>>,
    credential: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HttpSection {
    url: Located<String>,
    credential: Option<Located<CredentialSection>>,
    #[serde(default)]
    allow_private: OneOrMany,
}

pub(super) fn read(
    servers: Named<Section>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, McpServer> {
    reader.named(servers, |reader, name, section| {
        let transport = match (section.command, section.http) {
            (Some(command), None) => {
                command.value.read(command.at, reader).map(McpTransportSpec::Command)
            }
            (None, Some(http)) => http.value.read(reader).map(McpTransportSpec::Http),
            (None, None) | (Some(_), Some(_)) => Err(reader.complain(
                name.at,
                format!("the MCP server `{}` must be reached in exactly one way", name.value),
                "write either `command:` or `http:`",
            )),
        };
        let timeout = timeout(section.timeout, DEFAULT_TIMEOUT, reader);
        Ok(McpServer { name, transport: transport?, timeout })
    })
}

impl CommandSection {
    fn read(self, at: Position, reader: &mut Reader<'_>) -> Result<McpCommandSpec, Complained> {
        match self.argv.first() {
            None => {
                let mend = "write `argv: [/usr/bin/program, argument]`";
                reader.complain(at, "`argv` names no program", mend);
            }
            Some(program) if !program.starts_with('/') => {
                let text = format!("`{}` is not an absolute path to a program", program.value);
                reader.complain(program.at, text, "write where it is, like `/usr/bin/npx`");
            }
            Some(_) => {}
        }
        Ok(McpCommandSpec {
            argv: values(&self.argv),
            cwd: self.cwd.map(|cwd| reader.path(&cwd)),
            environment: environment(self.env, reader)?,
            credential: self.credential,
        })
    }
}

impl HttpSection {
    fn read(self, reader: &mut Reader<'_>) -> Result<McpHttpSpec, Complained> {
        let url = match self.credential {
            Some(_) => reader.safe_url(&self.url),
            None => reader.url(&self.url),
        };
        let credential = self.credential.map(|credential| credential.read(reader)).transpose();
        let allow_private = values(&self.allow_private.0);
        Ok(McpHttpSpec { url: url?, credential: credential?, allow_private })
    }
}

impl McpServer {
    /// The server without its place in the file.
    pub fn spec(&self) -> McpServerSpec {
        McpServerSpec {
            name: self.name.value.clone(),
            transport: self.transport.clone(),
            timeout: self.timeout,
        }
    }
}
