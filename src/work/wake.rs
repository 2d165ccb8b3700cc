//! The hint that something may be due.

use tokio::sync::{broadcast, watch};

use crate::store::{Hint, Store};

/// The loops that a hint can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    Runs,
    Executions,
    Timers,
    Deliveries,
    Streams,
    Retention,
}

impl Loop {
    pub const ALL: [Self; 6] = [
        Self::Runs,
        Self::Executions,
        Self::Timers,
        Self::Deliveries,
        Self::Streams,
        Self::Retention,
    ];

    /// What it is called on the command line and between processes.
    pub fn word(self) -> &'static str {
        match self {
            Self::Runs => "runs",
            Self::Executions => "executions",
            Self::Timers => "timers",
            Self::Deliveries => "deliveries",
            Self::Streams => "streams",
            Self::Retention => "retention",
        }
    }
}

/// Tells loops to look again, whoever committed what they are about to find. Losing a hint costs a
/// poll interval, never a promise.
#[derive(Clone)]
pub struct Wake {
    /// Passes hints on to the other processes on its database.
    store: Store,
    runs: Bell,
    executions: Bell,
    timers: Bell,
    deliveries: Bell,
    streams: Bell,
    retention: Bell,
}

/// How often it rang, and who listens.
type Bell = watch::Sender<u64>;

impl Wake {
    pub fn new(store: Store) -> Self {
        let bell = Bell::default;
        let (runs, executions, timers) = (bell(), bell(), bell());
        let (deliveries, streams, retention) = (bell(), bell(), bell());
        Self { store, runs, executions, timers, deliveries, streams, retention }
    }

    /// Something that these loops look for was committed.
    pub fn these(&self, loops: &[Loop]) {
        for which in loops {
            self.ring(*which);
            self.store.hint(which.word());
        }
    }

    /// Rings for what other processes have committed, for as long as they can be heard.
    pub async fn hear_others(&self) {
        let Some(mut hints) = self.store.hints() else { return };
        loop {
            match hints.recv().await {
                Ok(Hint::At(word)) => {
                    let meant = Loop::ALL.into_iter().filter(|which| which.word() == word);
                    meant.for_each(|which| self.ring(which));
                }
                Ok(Hint::AtEverything) | Err(broadcast::error::RecvError::Lagged(_)) => {
                    Loop::ALL.into_iter().for_each(|which| self.ring(which));
                }
                Err(broadcast::error::RecvError::Closed) => return,
            }
        }
    }

    fn ring(&self, which: Loop) {
        self.bell(which).send_modify(|count| *count = count.wrapping_add(1));
    }

    /// An ear that hears every hint for this loop given after this moment.
    pub(crate) fn listen(&self, which: Loop) -> watch::Receiver<u64> {
        self.bell(which).subscribe()
    }

    fn bell(&self, which: Loop) -> &Bell {
        match which {
            Loop::Runs => &self.runs,
            Loop::Executions => &self.executions,
            Loop::Timers => &self.timers,
            Loop::Deliveries => &self.deliveries,
            Loop::Streams => &self.streams,
            Loop::Retention => &self.retention,
        }
    }
}
