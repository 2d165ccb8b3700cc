//! A connection to a server for one look at what is there. A server that falls silent in the middle
//! of it is taken for gone: whoever is looking hears so, and the connection is let go of. Else what a
//! machine that vanished had been asked would be waited for until TCP gives up, which is never when
//! the question had arrived there.

use std::io;
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, Database, Error, SqlStr};
use sqlx_core::transaction::TransactionManager;
use tokio::sync::OwnedSemaphorePermit;

/// How long a desk waits for what it looks up. Whoever pressed a button is told sooner that nobody
/// answered.
pub(super) const LOOKING: Duration = Duration::from_secs(8);
/// An operator who looks at everything may have much to look at.
pub(super) const LOOKING_AT_EVERYTHING: Duration = Duration::from_secs(3_600);
/// How long a connection may take to say that it is still there.
pub(super) const STILL_THERE: Duration = Duration::from_secs(1);
/// On Postgres every statement of a plain transaction would see a state of its own.
const ONE_STATE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

type Manager = <Any as Database>::TransactionManager;

#[derive(Debug)]
pub(super) struct Reader {
    conn: PoolConnection<Any>,
    patience: Duration,
    sees_one_state: bool,
    /// Among those that have time.
    place: Option<OwnedSemaphorePermit>,
}

impl Reader {
    pub(super) fn new(
        conn: PoolConnection<Any>,
        patience: Duration,
        place: Option<OwnedSemaphorePermit>,
    ) -> Self {
        Self { conn, patience, sees_one_state: false, place }
    }

    /// All its statements see the same state from now on.
    pub(super) async fn sees_one_state(mut self) -> Result<Self, Error> {
        let patience = self.patience;
        let one_state = Some(SqlStr::from_static(ONE_STATE));
        patiently(patience, Manager::begin(&mut self.conn, one_state).boxed()).await?;
        self.sees_one_state = true;
        Ok(self)
    }

    pub(super) fn patience(&self) -> Duration {
        self.patience
    }
}

impl Deref for Reader {
    type Target = AnyConnection;

    fn deref(&self) -> &AnyConnection {
        &self.conn
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut AnyConnection {
        &mut self.conn
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if self.sees_one_state {
            Manager::start_rollback(&mut self.conn);
        }
        // The pool asks whether it is still there, and would keep its place until it answers.
        let returning = self.conn.return_to_pool();
        let place = self.place.take();
        tokio::spawn(async move {
            // An error means that it was let go of.
            let _ = tokio::time::timeout(STILL_THERE, returning).await;
            drop(place);
        });
    }
}

/// Waits no longer for an answer than somebody waits for it.
pub(super) fn patiently<'a, T: Send + 'a>(
    patience: Duration,
    look: BoxFuture<'a, Result<T, Error>>,
) -> BoxFuture<'a, Result<T, Error>> {
    async move {
        match tokio::time::timeout(patience, look).await {
            Ok(seen) => seen,
            Err(_) => Err(Error::Io(io::Error::new(io::ErrorKind::TimedOut, "it did not answer"))),
        }
    }
    .boxed()
}

#[cfg(test)]
mod tests;
