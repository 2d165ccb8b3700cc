//! What passes between the agent's graph and whoever rules on its tool calls.

use serde::{Deserialize, Serialize};

use super::ToolCall;

/// The node that interrupts the run once for each proposed tool call.
pub const APPROVAL_NODE: &str = "approval";

/// The value of an interrupt: one tool call that the model proposes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProposedCall {
    pub call: ToolCall,
    /// What the model wrote beside the call. A claim: it never decides anything.
    pub claim: Option<String>,
}

/// The answer to an interrupt: what became of the proposed call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallAnswer {
    pub status: CallStatus,
    /// For the model: the tool's output, or why there is none.
    pub content: String,
}

/// What became of a proposed tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallStatus {
    Succeeded,
    /// Certainly not applied.
    Failed,
    /// Perhaps applied.
    Unknown,
    /// The tool does not exist or the arguments do not fit.
    Invalid,
    /// The policy forbids it.
    Denied,
    /// A person said no.
    Rejected,
    /// Nobody answered in time.
    Expired,
    Cancelled,
    Superseded,
    /// Approved, but it did not start: too late, stopped, or something had changed.
    NotStarted,
}
