//! The one run of an action: its states, how a broken one is settled, and the right to start.

use serde::{Deserialize, Serialize};

use super::{Decision, Digest, Outcome, Sealed};
use crate::base::{ExecutionId, Timestamp};

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
    /// The stop switch.
    pub stopped: bool,
    /// The epoch in the row, and the one the claimer holds.
    pub epoch: u64,
    pub claimed_epoch: u64,
    pub start_by: Timestamp,
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
    #[error("another worker has taken over")]
    StaleEpoch,
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
    let asked = facts.sealed.envelope().decide_by;
    match (&facts.decision, asked) {
        (Some((decision, decided_on)), Some(decide_by)) => {
            if decision.outcome != Outcome::Approved || decision.at >= decide_by {
                return Err(StartRefusal::NotApproved);
            }
            if *decided_on != digest {
                return Err(StartRefusal::DigestMismatch);
            }
        }
        // A rule allowed it and nobody was asked.
        (None, None) => {}
        (Some(_), None) | (None, Some(_)) => return Err(StartRefusal::NotApproved),
    }
    if now >= facts.start_by {
        return Err(StartRefusal::TooLate);
    }
    if !facts.policy_still_holds {
        return Err(StartRefusal::PolicyChanged);
    }
    if !facts.tool_unchanged {
        return Err(StartRefusal::ToolChanged);
    }
    Ok(Warrant { execution: facts.execution, sealed: facts.sealed, key: facts.key })
}
