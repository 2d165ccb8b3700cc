//! The loops that keep every promise moving: runs, executions, timers, deliveries.
//!
//! Each loop claims rows that are due, does what they ask, and commits the result. The database is
//! the queue: a wake-up inside the process only makes a loop look sooner, and polling finds
//! whatever a wake-up missed. Tests take single turns; production keeps the loops going.

mod wake;

pub use wake::Wake;
