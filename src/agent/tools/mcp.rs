//! A tool of an MCP server.

use std::sync::Arc;

use serde_json::Value;

use super::target::{Ending, Values};
use crate::agent::{FailsCleanly, McpServer, McpServers, McpToolSpec, McpTransportSpec, Standing};

/// A pinned tool, and the server that offers it.
pub(super) struct ServersTool {
    spec: McpToolSpec,
    server: Arc<McpServer>,
}

impl ServersTool {
    pub(super) fn new(spec: &McpToolSpec, servers: &McpServers) -> Result<Self, String> {
        let name = &spec.server.name;
        let server = servers.get(name);
        let server = server.ok_or_else(|| format!("there is no MCP server called `{name}`"))?;
        Ok(Self { spec: spec.clone(), server: Arc::clone(server) })
    }

    pub(super) fn place(&self) -> String {
        let (tool, server, place) = (&self.spec.tool, self.server.name(), self.server.place());
        format!("{tool} of the MCP server {server}: {place}")
    }

    pub(super) fn credential_name(&self) -> Option<&str> {
        match &self.spec.server.transport {
            McpTransportSpec::Command(command) => command.credential.as_deref(),
            McpTransportSpec::Http(http) => {
                http.credential.as_ref().map(|credential| credential.name.as_str())
            }
        }
    }

    pub(super) fn cwd(&self) -> Option<String> {
        match &self.spec.server.transport {
            McpTransportSpec::Command(command) => {
                command.cwd.as_ref().map(|cwd| cwd.to_string_lossy().into_owned())
            }
            McpTransportSpec::Http(_) => None,
        }
    }

    pub(super) fn environment(&self) -> Vec<String> {
        match &self.spec.server.transport {
            McpTransportSpec::Command(command) => command.environment.keys().cloned().collect(),
            McpTransportSpec::Http(_) => Vec::new(),
        }
    }

    pub(super) async fn look(&self) {
        if let Err(why) = self.server.offers().await {
            tracing::warn!(server = self.server.name(), why, "an MCP server cannot be asked");
        }
    }

    pub(super) fn standing(&self) -> Standing {
        self.server.standing(&self.spec.tool, self.spec.pin)
    }

    pub(super) async fn exchange(&self, values: &Values) -> Ending {
        let arguments = values.0.get("args").unwrap_or(&Value::Null);
        let fails = if self.spec.fails_cleanly { FailsCleanly::Yes } else { FailsCleanly::No };
        self.server.call(&self.spec.tool, self.spec.pin, arguments, fails).await
    }
}
