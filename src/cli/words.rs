//! States in the words that operators read, and the reasons that operators give.

use std::fmt::Display;

use crate::approval::{ExecutionState, Finding, Outcome, Unseen};
use crate::store::DamagedRequest;

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

pub(super) fn finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Happened => "it happened",
        Finding::DidNotHappen => "it did not happen",
        Finding::WrittenOff => "written off, nobody could find out",
    }
}

/// After what is said of a request.
pub(super) fn unseen(unseen: &Unseen) -> String {
    let why =
        unseen.why.as_deref().unwrap_or("nothing has failed, it waits for its turn or for a desk");
    let so_far = if unseen.given_up { "given up" } else { "tried again and again" };
    format!("NOT SHOWN to its approvers, asked {}: {why} ({so_far})", unseen.since)
}

/// After the oldest of the outcomes that nobody knows.
pub(super) fn not_listed(rest: u64) -> String {
    format!(
        "Not listed: {} whose outcome is unknown. Settle these first, they are the oldest.",
        counted(rest, "more action")
    )
}

/// A request of which no more can be said.
pub(super) fn damaged(damaged: &DamagedRequest) -> String {
    let DamagedRequest { id, why } = damaged;
    format!(
        "{id}  DAMAGED: {why}. It cannot be decided; `countersign verify` says what else is wrong"
    )
}

/// A reason that says something.
pub(super) fn reason(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("write a few words, people read them"),
        words => Ok(words.to_owned()),
    }
}

/// A name that says somebody.
pub(super) fn name(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("write a name, people ask whoever it says"),
        name => Ok(name.to_owned()),
    }
}

/// `1 record`, `2 records`.
pub(super) fn counted(count: impl Display, what: &str) -> String {
    let count = count.to_string();
    let ending = if count == "1" { "" } else { "s" };
    format!("{count} {what}{ending}")
}
