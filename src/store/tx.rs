//! The transaction that a job of the writer runs in.

use std::sync::Arc;

use sqlx::Executor;

use super::StoreError;
use super::conn::Conn;
use super::events::Batch;
use crate::base::{Ids, Timestamp};

/// The writing connection inside a transaction, with the one instant all of it happens at.
pub(crate) struct Tx {
    pub(crate) conn: Conn,
    /// Never before the newest audit record: time in the database does not go back.
    pub(crate) now: Timestamp,
    /// By how many milliseconds the clock that counts here is ahead of this process's own.
    pub(super) ahead_by: i64,
    pub(crate) ids: Arc<dyn Ids>,
    /// Events written so far; they are told once the transaction is committed.
    pub(super) told: Vec<Batch>,
}

impl Tx {
    /// The next transaction happens when the clock that counts here says so, or at the last instant that
    /// was written down if it went back. `ours` is what our own clock says then. While a clock catches
    /// up, what ours shows lies as far ahead as ever: else whatever is to wait would be due at once,
    /// again and again.
    pub(super) fn happens_at(&mut self, clock: Timestamp, newest: Timestamp, ours: Timestamp) {
        self.now = clock.max(newest);
        self.ahead_by = self.now.as_millis().saturating_sub(ours.as_millis());
        self.conn.tells_the_time(self.now);
    }

    /// An instant that this process read off its own clock, as the clock that counts here had it.
    /// Never later than now: what has happened has happened.
    pub(super) fn happened_at(&self, ours: Timestamp) -> Timestamp {
        self.due_at(ours).min(self.now)
    }

    /// The same for an instant that may be to come.
    pub(super) fn due_at(&self, ours: Timestamp) -> Timestamp {
        Timestamp::from_millis(ours.as_millis().saturating_add(self.ahead_by))
    }

    /// The other way round: what our own clock shows at an instant of the clock that counts here.
    pub(super) fn seen_here(&self, theirs: Timestamp) -> Timestamp {
        Timestamp::from_millis(theirs.as_millis().saturating_sub(self.ahead_by))
    }

    /// Transaction control, one or several statements; everything else is prepared.
    pub(super) async fn raw(&mut self, statements: &'static str) -> Result<(), StoreError> {
        self.conn.execute(sqlx::raw_sql(statements)).await?;
        Ok(())
    }

    /// Rolls back. An error means that the database had already done so by itself, as SQLite does
    /// when the disk is full; were it anything else, the next `BEGIN` would be refused.
    pub(super) async fn undo(&mut self) {
        if let Err(error) = self.raw("ROLLBACK").await {
            tracing::debug!(%error, "there was nothing left to roll back");
        }
    }
}
