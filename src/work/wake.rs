//! The hint that something may be due.

use tokio::sync::watch;

/// The loops that a hint can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    Runs,
    Executions,
    Timers,
    Deliveries,
    Streams,
}

/// Tells loops to look again, whoever committed what they are about to find. Losing a hint costs a
/// poll interval, never a promise.
#[derive(Clone, Debug, Default)]
pub struct Wake {
    runs: Bell,
    executions: Bell,
    timers: Bell,
    deliveries: Bell,
    streams: Bell,
}

/// How often it rang, and who listens.
type Bell = watch::Sender<u64>;

impl Wake {
    pub fn new() -> Self {
        Self::default()
    }

    /// Something that these loops look for was committed.
    pub fn these(&self, loops: &[Loop]) {
        for which in loops {
            self.bell(*which).send_modify(|count| *count = count.wrapping_add(1));
        }
    }

    /// An ear that hears every hint for this loop given after this moment.
    pub(super) fn listen(&self, which: Loop) -> watch::Receiver<u64> {
        self.bell(which).subscribe()
    }

    fn bell(&self, which: Loop) -> &Bell {
        match which {
            Loop::Runs => &self.runs,
            Loop::Executions => &self.executions,
            Loop::Timers => &self.timers,
            Loop::Deliveries => &self.deliveries,
            Loop::Streams => &self.streams,
        }
    }
}
