//! The audit log: one hash-chained record for each transition, in the same transaction.
//!
//! Anybody with the database can check it offline: [`verify`] recomputes the chain and the
//! invariants from the rows alone, and [`export`] writes the records as JSON Lines. A body that is old
//! goes; the chain is of hashes, and a later record has the hash of what was left.

mod chain;
mod export;
mod record;
mod reduced;
mod verify;
mod who;

pub use chain::Record;
pub(crate) use chain::hash;
pub use export::{ExportError, export, story};
pub(crate) use export::{RecordRow, page};
pub(crate) use record::{Entry, append, append_numbered};
pub(crate) use reduced::{
    ERASURE, Left, RETENTION, deliveries, evidence, forget_shown, has_shown, remains,
};
pub use verify::{Anchor, Erased, Findings, NotAnAnchor, Reductions, Violation, verify};
pub(crate) use who::People;
pub use who::Who;
