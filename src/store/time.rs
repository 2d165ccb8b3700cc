//! What time it is where the store is, for whoever is not in a transaction of it.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use super::Store;
use super::open::Kind;
use crate::base::{Instants, Timestamp};

/// The instant of the last transaction, and when by a clock that nobody sets that was.
#[derive(Debug, Default)]
pub(super) struct LastTold(Mutex<Option<(Timestamp, Instant)>>);

impl LastTold {
    pub(super) fn is(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Instant::now()));
    }

    fn get(&self) -> Option<(Timestamp, Instant)> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// What time it is, to date what is about to be written: never before the last transaction. On a
    /// server it is the server's, counted on since the last turn: our own clock may be wrong there, or
    /// be set at any moment.
    pub fn now(&self) -> Timestamp {
        match (self.kind, self.clock.instants(), self.common.last_told.get()) {
            (Kind::Postgres, Instants::Databases, Some((told, then))) => {
                let since = i64::try_from(then.elapsed().as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millis(told.as_millis().saturating_add(since))
            }
            (_, _, Some((told, _))) => self.clock.now().max(told),
            (_, _, None) => self.clock.now(),
        }
    }
}
