//! What a configured tool acts on, whichever of the two kinds it is.

use serde_json::{Value, json};

use super::command::Program;
use super::http::Endpoint;
use crate::agent::{Egress, TargetSpec};

/// A target that is ready to be used.
pub(super) enum Target {
    Http(Box<Endpoint>),
    Command(Box<Program>),
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
pub(super) enum Ending {
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
    pub(super) fn new(spec: &TargetSpec, egress: &Egress) -> Result<Self, String> {
        match spec {
            TargetSpec::Http(http) => Endpoint::new(http, egress).map(Box::new).map(Self::Http),
            TargetSpec::Command(command) => Program::new(command).map(Box::new).map(Self::Command),
        }
    }

    /// Fills in everything, as [`exchange`](Self::exchange) will, and says where it would act.
    pub(super) fn place(&self, values: &Values) -> Result<String, String> {
        match self {
            Self::Http(endpoint) => endpoint.place(values),
            Self::Command(program) => program.place(values),
        }
    }

    pub(super) async fn exchange(&self, values: &Values, key: &str) -> Ending {
        match self {
            Self::Http(endpoint) => endpoint.exchange(values, key).await,
            Self::Command(program) => program.exchange(values, key).await,
        }
    }

    pub(super) fn credential(&self) -> &str {
        let name = match self {
            Self::Http(endpoint) => endpoint.credential_name(),
            Self::Command(program) => program.credential_name(),
        };
        name.unwrap_or("none")
    }

    pub(super) fn cwd(&self) -> Option<String> {
        match self {
            Self::Http(_) => None,
            Self::Command(program) => program.cwd(),
        }
    }

    pub(super) fn environment(&self) -> Vec<String> {
        match self {
            Self::Http(_) => Vec::new(),
            Self::Command(program) => program.environment(),
        }
    }
}
