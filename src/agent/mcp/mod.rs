//! MCP servers: programs and services that offer tools by the Model Context Protocol.
//!
//! A server describes its own tools, and a model believes what it is told. So an operator reads a
//! description once and pins it: name, description and argument schema stand in the configuration
//! with their hash ([`Pin`]), the model is told the pinned words, and a tool that the server
//! describes otherwise is not called until somebody has pinned it again. What the server answers is
//! data: it is capped, and it never decides anything.
//!
//! We offer a server nothing: no sampling, no elicitation, no roots. Of what the protocol's library
//! does by itself, repeating requests and remembering listings is turned off.

mod connection;
mod pin;
mod result;
mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use pin::{Described, NotAPin, Pin};
pub(super) use server::FailsCleanly;
pub use server::{McpServer, Offer, Standing};

use super::{Egress, McpServerSpec};

/// All MCP servers of this desk, by name. None is connected before it is needed.
#[derive(Clone, Default)]
pub struct McpServers(BTreeMap<String, Arc<McpServer>>);

impl McpServers {
    /// Nothing is started or called yet. The error is for the operator.
    pub fn new(
        specs: impl IntoIterator<Item = McpServerSpec>,
        egress: &Egress,
    ) -> Result<Self, String> {
        let open = |spec: McpServerSpec| {
            let name = spec.name.clone();
            let server = McpServer::new(spec, egress);
            let server = server.map_err(|why| format!("the MCP server `{name}`: {why}"))?;
            Ok((name, Arc::new(server)))
        };
        specs.into_iter().map(open).collect::<Result<_, String>>().map(Self)
    }

    pub fn get(&self, name: &str) -> Option<&Arc<McpServer>> {
        self.0.get(name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<McpServer>> {
        self.0.values()
    }
}
