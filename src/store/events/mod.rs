//! The event log of runs: numbered without gaps, kept with what made the events true.

mod feed;
mod keep;

pub(super) use feed::Feed;
pub use feed::Listener;
pub(super) use keep::tell;
#[cfg(test)]
pub(super) use keep::{FORGET, LAST_OF_MANY};

use crate::base::RunId;
use crate::stream::RunEvent;

/// Events of one run that were committed together.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    pub run: RunId,
    /// The number of the first one; a run's first event is 1.
    pub first: u64,
    /// At least one.
    pub events: Vec<RunEvent>,
}

impl Batch {
    /// The number of the last one.
    pub fn last(&self) -> u64 {
        self.first + self.events.len() as u64 - 1
    }

    /// The events that come after number `after`, with their numbers.
    pub fn after(&self, after: u64) -> impl Iterator<Item = (u64, &RunEvent)> {
        (self.first..).zip(&self.events).filter(move |(seq, _)| *seq > after)
    }
}
