//! A request to stop at the next superstep's start, for a process that wants to go down.

use std::sync::{Arc, OnceLock};

/// Asks runs to stop: whoever holds a clone can. What was done is saved, and the run can be
/// continued. A request cannot be taken back.
#[derive(Clone, Debug, Default)]
pub struct Drain(Arc<OnceLock<String>>);

impl Drain {
    /// Asks for it. The first reason stands.
    pub fn request(&self, reason: impl Into<String>) {
        let _ = self.0.set(reason.into());
    }

    /// The reason, if it was asked for.
    pub fn reason(&self) -> Option<&str> {
        self.0.get().map(String::as_str)
    }
}
