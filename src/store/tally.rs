//! What the store has done, counted: what a click or a run costs, without a clock.

use std::sync::atomic::{AtomicU64, Ordering};

use super::Store;

/// What was asked of the store since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Jobs of the writer, each one transition of the domain.
    pub transactions: u64,
    /// How many commits they shared.
    pub commits: u64,
    /// Statements of the writer, and what begins and ends its transactions.
    pub written: u64,
    /// Statements of the readers.
    pub read: u64,
}

#[derive(Clone, Copy)]
pub(super) enum Counted {
    Transaction,
    Commit,
    Written,
    Read,
}

#[derive(Debug, Default)]
pub(super) struct Tally([AtomicU64; 4]);

impl Tally {
    pub(super) fn count(&self, what: Counted) {
        self.of(what).fetch_add(1, Ordering::Relaxed);
    }

    fn of(&self, what: Counted) -> &AtomicU64 {
        let [transactions, commits, written, read] = &self.0;
        match what {
            Counted::Transaction => transactions,
            Counted::Commit => commits,
            Counted::Written => written,
            Counted::Read => read,
        }
    }
}

impl Store {
    /// What was asked of it until now.
    pub fn cost(&self) -> Cost {
        let done = |what| self.common.tally.of(what).load(Ordering::Relaxed);
        Cost {
            transactions: done(Counted::Transaction),
            commits: done(Counted::Commit),
            written: done(Counted::Written),
            read: done(Counted::Read),
        }
    }
}
