//! The one run of an action: its states, how a broken one is settled, and the right to start.
//!
//! An approval by itself runs nothing. In the transaction that writes `started` everything is read
//! again, and only [`warrant`] can say that it still holds. Calls to the outside cannot be made
//! exactly once, so what happens when one breaks off is the tool's own property: its
//! [`RetryClass`].

use serde::{Deserialize, Serialize};

use super::{Decision, Digest, Outcome, Sealed};
use crate::base::{ExecutionId, Span, Timestamp};

/// What may be done when nobody knows whether a call took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RetryClass {
    /// It changes nothing: repeat.
    Pure,
    /// The target knows our key and acts once for it: repeat with the same key.
    Keyed,
    /// The target can be asked, read-only, whether it happened.
    Probe,
    /// Neither: the outcome is unknown until a human settles it.
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExecutionState {
    /// Ordered; nobody has taken it yet.
    Ordered,
    Claimed,
    /// Written before the call: from here on it may have taken effect.
    Started,
    Succeeded,
    /// Certainly not applied.
    Failed,
    /// Perhaps applied. Never retried automatically.
    Unknown,
    /// It may not start any more (too late, stopped, changed): certainly not applied.
    Refused,
}

/// What the transaction that writes `started` has just read.
#[derive(Clone, Debug)]
pub struct StartFacts {
    pub execution: ExecutionId,
    pub sealed: Sealed,
    /// The digest stored beside the bytes.
    pub stored_digest: Digest,
    /// The decision and the digest it was made on; absent when a rule allowed the action.
    pub decision: Option<(Decision, Digest)>,
    /// Does the policy in force still rule the same or stricter for these arguments?
    pub policy_still_holds: bool,
    /// Is the tool still exactly the one in the envelope?
    pub tool_unchanged: bool,
    /// Did an equal action end without anybody knowing whether it happened, and has nobody looked?
    pub equal_unsettled: bool,
    /// The stop switch.
    pub stopped: bool,
    /// The epoch in the row, and the one the claimer holds.
    pub epoch: u64,
    pub claimed_epoch: u64,
    pub start_by: Timestamp,
    /// The calls that have begun, if this is not the first. A repetition is a part of the start
    /// that was in time; how long it may be tried is what [`settle`] says.
    pub begun: Option<Begun>,
    /// How long the target of a keyed tool remembers a key.
    pub window: Span,
    /// The idempotency key: the same for every attempt.
    pub key: String,
}

/// The right to call a tool once, now. Only [`warrant`] makes one.
#[derive(Clone, Debug)]
pub struct Warrant {
    execution: ExecutionId,
    sealed: Sealed,
    key: String,
}

impl Warrant {
    pub fn execution(&self) -> &ExecutionId {
        &self.execution
    }

    /// The stored action: what the tool gets, byte for byte.
    pub fn sealed(&self) -> &Sealed {
        &self.sealed
    }

    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Why an execution may not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum StartRefusal {
    #[error("no approval")]
    NotApproved,
    #[error("what would run is not what was approved")]
    DigestMismatch,
    #[error("the approval is no longer valid")]
    TooLate,
    #[error("the policy in force now does not permit it")]
    PolicyChanged,
    #[error("the tool has changed since")]
    ToolChanged,
    #[error("the stop switch is on")]
    Stopped,
    #[error("nobody knows yet whether an equal action happened; that one must be settled first")]
    EqualUnsettled,
    #[error("the first call is too long ago for its target to know it again")]
    Forgotten,
    #[error("another worker has taken over")]
    StaleEpoch,
}

impl StartRefusal {
    /// What the execution becomes; nothing when it belongs to another worker now. A refused
    /// repetition may have taken effect the first time, so it is never certain that nothing
    /// happened.
    pub fn leaves(self, begun: Option<Begun>) -> Option<ExecutionState> {
        match (self, begun) {
            (Self::StaleEpoch, _) => None,
            (
                Self::NotApproved
                | Self::DigestMismatch
                | Self::TooLate
                | Self::PolicyChanged
                | Self::ToolChanged
                | Self::EqualUnsettled
                | Self::Stopped
                | Self::Forgotten,
                begun,
            ) => Some(begun.map_or(ExecutionState::Refused, |_| ExecutionState::Unknown)),
        }
    }
}

/// Checks everything once more, in the transaction that writes `started`.
pub fn warrant(facts: StartFacts, now: Timestamp) -> Result<Warrant, StartRefusal> {
    if facts.epoch != facts.claimed_epoch {
        return Err(StartRefusal::StaleEpoch);
    }
    if facts.stopped {
        return Err(StartRefusal::Stopped);
    }
    let digest = facts.sealed.digest();
    if digest != facts.stored_digest {
        return Err(StartRefusal::DigestMismatch);
    }
    let start_by = match (&facts.decision, facts.sealed.envelope().decide_by) {
        (Some((decision, decided_on)), Some(decide_by)) => {
            if decision.outcome != Outcome::Approved || decision.at >= decide_by {
                return Err(StartRefusal::NotApproved);
            }
            if *decided_on != digest {
                return Err(StartRefusal::DigestMismatch);
            }
            let until = decision.start_by.ok_or(StartRefusal::NotApproved)?;
            until.min(facts.start_by)
        }
        // A rule allowed it and nobody was asked.
        (None, None) => facts.start_by,
        (Some(_), None) | (None, Some(_)) => return Err(StartRefusal::NotApproved),
    };
    if facts.begun.map_or(now, |begun| begun.first) >= start_by {
        return Err(StartRefusal::TooLate);
    }
    // Whoever claimed it may have stood still since: what may be repeated is said by the clock of
    // the start, not of the claim.
    let retry = facts.sealed.envelope().tool.retry;
    match settle(facts.begun, retry, facts.window, now) {
        Settlement::OrderAgain | Settlement::Repeat | Settlement::Probe => {}
        Settlement::Unknown | Settlement::Failed => return Err(StartRefusal::Forgotten),
    }
    if !facts.policy_still_holds {
        return Err(StartRefusal::PolicyChanged);
    }
    if !facts.tool_unchanged {
        return Err(StartRefusal::ToolChanged);
    }
    // A repetition carries the key of its first call, so it does nothing a second time.
    if facts.equal_unsettled && facts.begun.is_none() {
        return Err(StartRefusal::EqualUnsettled);
    }
    Ok(Warrant { execution: facts.execution, sealed: facts.sealed, key: facts.key })
}

/// The calls of an execution that have begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begun {
    pub first: Timestamp,
    pub attempts: u32,
}

/// How an execution goes on whose worker was lost, or whose call was left without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// Nothing has run: it is an order again.
    OrderAgain,
    /// Call again, with the same key.
    Repeat,
    /// Ask the target, read-only, whether it happened.
    Probe,
    /// Nobody can tell; a human must.
    Unknown,
    /// It changes nothing, and it breaks off every time.
    Failed,
}

/// An action that was begun this often has broken off every time.
const MOST_ATTEMPTS: u32 = 5;

/// Settles an execution whose lease ended before it did: its worker died, or no answer came to its
/// call.
///
/// `window` is how long the target of a keyed tool remembers a key, counted from the first attempt:
/// after that the same key could act twice.
pub fn settle(begun: Option<Begun>, retry: RetryClass, window: Span, now: Timestamp) -> Settlement {
    let Some(begun) = begun else {
        return Settlement::OrderAgain;
    };
    let again = begun.attempts < MOST_ATTEMPTS;
    match retry {
        RetryClass::Pure if again => Settlement::Repeat,
        RetryClass::Pure => Settlement::Failed,
        RetryClass::Keyed if again && now < begun.first.plus(window) => Settlement::Repeat,
        RetryClass::Probe if again => Settlement::Probe,
        RetryClass::Keyed | RetryClass::Probe | RetryClass::Once => Settlement::Unknown,
    }
}

#[cfg(test)]
mod tests;
