//! What a human found out about an action whose outcome nobody knew.
//!
//! An execution that broke off at the wrong moment is never tried again by itself: perhaps it
//! happened. Somebody looks at the other side, and says under their own name what they saw.

use serde::{Deserialize, Serialize};

use super::ExecutionState;
use crate::base::Timestamp;

/// What became of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    Happened,
    DidNotHappen,
    /// Nobody can find out any more, and nobody looks on.
    WrittenOff,
}

/// How a call ended, as a worker has it that had been taken for dead. It counts for nothing, and
/// helps whoever looks.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Late {
    pub state: ExecutionState,
    /// Its words go with what is old.
    #[serde(default)]
    pub note: String,
}

/// A finding, and who stands for it. It is final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settled {
    pub finding: Finding,
    pub by: String,
    pub reason: String,
    pub at: Timestamp,
}
