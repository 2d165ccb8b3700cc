//! A connection for one look at the database. A server that falls silent in the middle of it is taken
//! for gone: whoever is looking hears so, and the connection is let go of. Else what a machine that
//! vanished had been asked would be waited for until TCP gives up, which is never when the question
//! had arrived there.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, Connection};

use super::StoreError;
use super::open::Kind;

/// How long a look may take. Whoever pressed a button is told sooner that nobody answered.
const LOOKING: Duration = Duration::from_secs(8);
/// How long a connection may take to say that it is still there.
pub(super) const STILL_THERE: Duration = Duration::from_secs(1);
/// On Postgres every statement of a plain transaction would see a state of its own.
pub(super) const ONE_STATE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

pub(crate) struct Reader {
    conn: PoolConnection<Any>,
    kind: Kind,
}

impl Reader {
    pub(super) fn new(conn: PoolConnection<Any>, kind: Kind) -> Self {
        Self { conn, kind }
    }

    /// Several statements that must see the same state.
    pub(super) async fn snapshot(&mut self) -> Result<sqlx::Transaction<'_, Any>, sqlx::Error> {
        match self.kind {
            Kind::Sqlite => self.conn.begin().await,
            Kind::Postgres => self.conn.begin_with(ONE_STATE).await,
        }
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
        if self.kind == Kind::Postgres {
            // The pool asks whether it is still there, and would keep its place until it answers.
            let returning = self.conn.return_to_pool();
            tokio::spawn(tokio::time::timeout(STILL_THERE, returning));
        }
    }
}

/// What is looked up takes no longer than somebody waits for it.
pub(crate) trait Patiently<T, E>: Future<Output = Result<T, E>> + Sized + Send {
    fn patiently(self) -> impl Future<Output = Result<T, StoreError>> + Send
    where
        StoreError: From<E>,
    {
        async {
            match tokio::time::timeout(LOOKING, self).await {
                Ok(seen) => Ok(seen?),
                Err(_) => Err(StoreError::Lost("it did not answer".to_owned())),
            }
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>> + Send> Patiently<T, E> for F {}

#[cfg(test)]
mod tests;
