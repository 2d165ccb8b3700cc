//! The audit log: one hash-chained record for each transition, in the same transaction.
//!
//! Anybody with the database can check it offline: [`verify`] recomputes the chain and the
//! invariants from the rows alone, and [`export`] writes the records as JSON Lines.

mod chain;
mod export;
mod record;
mod verify;

pub use chain::Record;
pub use export::{ExportError, export, story};
pub(crate) use record::{Entry, append};
pub use verify::{Anchor, Findings, NotAnAnchor, Violation, verify};
