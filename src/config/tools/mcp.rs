//! Tools that an MCP server offers.

use serde::Deserialize;

use crate::agent::Pin;
use crate::config::reading::{Complained, Located, Reader};

/// A tool of an MCP server, as an operator has read it.
#[derive(Clone, Debug)]
pub struct McpTarget {
    /// A name from `mcp`.
    pub server: Located<String>,
    /// The server's own name for the tool.
    pub tool: String,
    pub pin: Located<Pin>,
    /// An answer that the server marks as an error changed nothing.
    pub fails_cleanly: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct McpSection {
    server: Located<String>,
    tool: String,
    pin: Located<String>,
    #[serde(default)]
    fails_cleanly: bool,
}

impl McpSection {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Result<McpTarget, Complained> {
        let Self { server, tool, pin, fails_cleanly } = self;
        let value = reader.parsed(&pin, "run `countersign mcp pin` and paste what it prints")?;
        Ok(McpTarget { server, tool, pin: Located { value, at: pin.at }, fails_cleanly })
    }
}
