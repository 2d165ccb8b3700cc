//! States in the words that operators read.

use crate::approval::{ExecutionState, Outcome};

pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Approved => "approved",
        Outcome::Rejected => "rejected",
        Outcome::Expired => "expired",
        Outcome::Cancelled => "cancelled",
        Outcome::Superseded => "superseded",
    }
}

pub(super) fn execution_state(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Ordered | ExecutionState::Claimed => "about to run",
        ExecutionState::Started => "running",
        ExecutionState::Succeeded => "succeeded",
        ExecutionState::Failed => "failed, nothing changed",
        ExecutionState::Unknown => "OUTCOME UNKNOWN: somebody must look",
        ExecutionState::Refused => "not started",
    }
}
