//! From the file's words to those of the agents' room.

use std::collections::BTreeMap;

use super::{CommandTarget, HttpTarget, McpTarget, Retry, Target, Tool};
use crate::agent::{
    CommandSpec, Described, HttpSpec, McpToolSpec, RetrySpec, TargetSpec, ToolSpec,
};
use crate::config::McpServer;
use crate::config::reading::values;

/// The servers that tools may name.
type Servers = BTreeMap<String, McpServer>;

impl Tool {
    /// The tool without its places in the file. The error, for the operator, is that there is no
    /// server of the name that it gives.
    pub fn spec(&self, servers: &Servers) -> Result<ToolSpec, String> {
        Ok(ToolSpec {
            name: self.name.value.clone(),
            description: self.description.clone(),
            parameters: self.parameters.value.clone(),
            target: self.target.spec(servers)?,
            retry: match &self.retry {
                Retry::Pure => RetrySpec::Pure,
                Retry::Keyed { window } => RetrySpec::Keyed { window: *window },
                Retry::Probe(probe) => RetrySpec::Probe(Box::new(probe.spec(servers)?)),
                Retry::Once => RetrySpec::Once,
            },
            show: values(&self.show),
        })
    }

    /// What its server must say of it, if it is an MCP server's.
    pub fn described(&self) -> Option<Described> {
        let Target::Mcp(mcp) = &self.target else { return None };
        Some(Described {
            tool: mcp.tool.clone(),
            description: self.description.clone(),
            parameters: self.parameters.value.clone(),
        })
    }
}

impl Target {
    fn spec(&self, servers: &Servers) -> Result<TargetSpec, String> {
        match self {
            Self::Http(http) => Ok(TargetSpec::Http(http.spec())),
            Self::Command(command) => Ok(TargetSpec::Command(command.spec())),
            Self::Mcp(mcp) => mcp.spec(servers).map(TargetSpec::Mcp),
        }
    }
}

impl McpTarget {
    fn spec(&self, servers: &Servers) -> Result<McpToolSpec, String> {
        let name = &self.server.value;
        let server = servers.get(name);
        let server = server.ok_or_else(|| format!("there is no MCP server called `{name}`"))?;
        Ok(McpToolSpec {
            server: server.spec(),
            tool: self.tool.clone(),
            pin: self.pin.value,
            fails_cleanly: self.fails_cleanly,
        })
    }
}

impl HttpTarget {
    fn spec(&self) -> HttpSpec {
        let headers = self.headers.iter().map(|(name, value)| (name.clone(), value.value.clone()));
        HttpSpec {
            method: self.method,
            url: self.url.value.clone(),
            headers: headers.collect(),
            body: self.body.value.clone(),
            credential: self.credential.clone(),
            timeout: self.timeout,
            allow_private: values(&self.allow_private),
        }
    }
}

impl CommandTarget {
    fn spec(&self) -> CommandSpec {
        CommandSpec {
            argv: values(&self.argv),
            cwd: self.cwd.clone(),
            environment: self.environment.clone(),
            credential: self.credential.clone(),
            timeout: self.timeout,
            max_output: self.max_output,
            fails_cleanly: self.fails_cleanly.clone(),
        }
    }
}
