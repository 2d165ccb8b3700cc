//! What a configured tool acts on, whichever of the three kinds it is.

use serde_json::{Value, json};

use super::command::Program;
use super::http::Endpoint;
use super::mcp::ServersTool;
use crate::agent::{Egress, McpServers, Standing, TargetSpec};

/// A target that is ready to be used.
pub(super) enum Target {
    Http(Box<Endpoint>),
    Command(Box<Program>),
    Mcp(Box<ServersTool>),
}

/// What the templates of a target may name: `args`, and in a probe `key`.
pub(super) struct Values(pub(super) Value);

impl Values {
    pub(super) fn of_call(arguments: &Value) -> Self {
        Self(json!({ "args": arguments }))
    }

    pub(super) fn of_probe(arguments: &Value, key: &str) -> Self {
        Self(json!({ "args": arguments, "key": key }))
    }
}

/// How one exchange with a target ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::agent) enum Ending {
    Success {
        content: String,
    },
    /// It certainly did nothing.
    Refusal {
        why: String,
    },
    /// It certainly did nothing, and to a probe: what was asked for does not exist.
    Absent {
        why: String,
    },
    /// Nobody knows.
    Lost {
        why: String,
    },
}

impl Target {
    pub(super) fn new(
        spec: &TargetSpec,
        egress: &Egress,
        servers: &McpServers,
    ) -> Result<Self, String> {
        match spec {
            TargetSpec::Mcp(tool) => ServersTool::new(tool, servers).map(Box::new).map(Self::Mcp),
            TargetSpec::Http(http) => Endpoint::new(http, egress).map(Box::new).map(Self::Http),
            TargetSpec::Command(command) => Program::new(command).map(Box::new).map(Self::Command),
        }
    }

    /// Fills in everything, as [`exchange`](Self::exchange) will, and says where it would act.
    pub(super) fn place(&self, values: &Values) -> Result<String, String> {
        match self {
            Self::Http(endpoint) => endpoint.place(values),
            Self::Command(program) => program.place(values),
            Self::Mcp(tool) => Ok(tool.place()),
        }
    }

    pub(super) async fn exchange(&self, values: &Values, key: &str) -> Ending {
        match self {
            Self::Http(endpoint) => endpoint.exchange(values, key).await,
            Self::Command(program) => program.exchange(values, key).await,
            Self::Mcp(tool) => tool.exchange(values).await,
        }
    }

    /// Asks what can be asked about the target itself, so that [`standing`](Self::standing) is
    /// news.
    pub(super) async fn look(&self) {
        match self {
            Self::Http(_) | Self::Command(_) => {}
            Self::Mcp(tool) => tool.look().await,
        }
    }

    pub(super) fn standing(&self) -> Standing {
        match self {
            Self::Http(_) | Self::Command(_) => Standing::AsPinned,
            Self::Mcp(tool) => tool.standing(),
        }
    }

    pub(super) fn credential(&self) -> &str {
        let name = match self {
            Self::Http(endpoint) => endpoint.credential_name(),
            Self::Command(program) => program.credential_name(),
            Self::Mcp(tool) => tool.credential_name(),
        };
        name.unwrap_or("none")
    }

    pub(super) fn cwd(&self) -> Option<String> {
        match self {
            Self::Http(_) => None,
            Self::Command(program) => program.cwd(),
            Self::Mcp(tool) => tool.cwd(),
        }
    }

    pub(super) fn environment(&self) -> Vec<String> {
        match self {
            Self::Http(_) => Vec::new(),
            Self::Command(program) => program.environment(),
            Self::Mcp(tool) => tool.environment(),
        }
    }
}
