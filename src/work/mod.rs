//! The loops that keep every promise moving: runs, executions, timers, deliveries, streams, retention.
//!
//! Each loop claims rows that are due, does what they ask, and commits the result. The database is
//! the queue: a wake-up inside the process only makes a loop look sooner, and polling finds
//! whatever a wake-up missed. Tests take single turns; production keeps the loops going.

mod crew;
mod deliveries;
mod executions;
mod lease;
mod recorder;
mod retention;
mod runs;
mod streams;
mod stumble;
mod timers;
mod turns;
mod wake;

pub use crew::{Work, keep_going, one_turn};
pub use deliveries::Deliveries;
pub use executions::Executions;
pub use retention::Retention;
pub use runs::Runs;
pub use streams::Streams;
pub use timers::Timers;
pub use wake::{Loop, Wake};
