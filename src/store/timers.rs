//! Time passes: due timers become events of their requests.

use super::{Store, StoreError};
use crate::base::{Timestamp, WorkspaceId};

impl Store {
    /// Fires at most `limit` timers that are due, each in a transaction of its own. How many were
    /// taken off the list is the answer; zero means that nothing is due.
    pub async fn fire_due_timers(&self, limit: usize) -> Result<usize, StoreError> {
        todo!("{limit}")
    }

    /// When something next becomes due by itself: a timer, or a retry of any kind of work.
    pub async fn next_due(&self, workspace: &WorkspaceId) -> Result<Option<Timestamp>, StoreError> {
        todo!("{workspace}")
    }
}
