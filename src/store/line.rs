//! The writing line: how a transaction begins and ends on each database.
//!
//! On SQLite the file's lock makes us the only writer, and what is wrong with a commit is wrong with
//! the disk: nothing is written on it again. On Postgres any number of processes write, one at a
//! time: each transaction first takes the turn, a row that it locks. So all of them see one serial
//! order, and every statement after the turn sees whatever earlier holders committed. Nothing here
//! outlives the transaction, so a pooler may hand the connection to anybody in between.

use std::time::Duration;

use sqlx::{AnyConnection, Executor, Row};
use tokio_util::sync::CancellationToken;

use super::conn::{Conn, End};
use super::lock::FileLock;
use super::mark::Mark;
use super::place::Server;
use super::rows::instant;
use super::{StoreError, Tx, postgres};
use crate::base::{Clock, Instants};

/// A process that falls silent in the middle of its turn loses it after two seconds, since whoever
/// pressed a button at another one is waiting for three; what it still sends is refused. The clock
/// is read after the turn is taken, however long that took; and a server may have been told since
/// the last turn to forget what it acknowledges.
const TAKE_THE_TURN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE;
SET LOCAL idle_in_transaction_session_timeout = '2s';
SET LOCAL lock_timeout = '5s';
SET LOCAL statement_timeout = '6s';
SELECT one FROM desk_turn FOR UPDATE;
SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT) AS clock,
       (SELECT COALESCE(MAX(at), 0) FROM audit_heads) AS newest,
       current_setting('synchronous_commit') AS commits;
SAVEPOINT job";
/// Committing a transaction that had failed would end it without an error; the look before it is
/// refused, and then so is the commit.
const COMMIT: &str = "SELECT one FROM desk_turn; COMMIT";
/// How long we wait for the server before we take it for gone: a little more than its own limits, and
/// so short that clicks are taken again within 15 seconds after a server fell silent.
const PATIENCE: Duration = Duration::from_secs(8);
/// How long jobs of one process may follow each other while other processes wait for their turn. On a slow
/// way to the server a whole batch would outlast our patience, and fail together.
const TURN: Duration = Duration::from_secs(1);
/// How long a batch waits for the server to come back: a person who pressed a button is waiting.
const RETURNING: Duration = Duration::from_millis(1500);
const BETWEEN_TRIES: Duration = Duration::from_millis(150);

pub(super) enum Line {
    Sqlite {
        /// Held by the one process that serves; a command beside it has none.
        lock: Option<FileLock>,
        mark: Mark,
        /// Cancelled by a commit that failed with an unknown outcome.
        broken: CancellationToken,
    },
    Postgres {
        server: Server,
        state: PostgresState,
    },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum PostgresState {
    /// Not connected yet on the thread that writes, whose ears are to hear the answers.
    New,
    Connected,
    Gone,
}

impl Line {
    pub(super) fn sqlite(lock: Option<FileLock>, mark: Mark) -> Self {
        Self::Sqlite { lock, mark, broken: CancellationToken::new() }
    }

    pub(super) fn postgres(server: Server) -> Self {
        Self::Postgres { server, state: PostgresState::New }
    }

    /// The server, where other processes may write to it as well.
    pub(super) fn server(&self) -> Option<&Server> {
        match self {
            Self::Sqlite { .. } => None,
            Self::Postgres { server, .. } => Some(server),
        }
    }

    /// Cancelled when nothing can be written any more until the store is opened anew.
    pub(super) fn broken(&self) -> CancellationToken {
        match self {
            Self::Sqlite { broken, .. } => broken.clone(),
            // A server that is gone may come back.
            Self::Postgres { .. } => CancellationToken::new(),
        }
    }

    /// Makes sure that there is somebody to write to.
    pub(super) async fn is_there(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { broken, .. } if broken.is_cancelled() => Err(StoreError::Poisoned),
            Self::Sqlite { .. } | Self::Postgres { state: PostgresState::Connected, .. } => Ok(()),
            Self::Postgres { server, state } => {
                tx.conn.is_now(End::Away(return_to(server).await?));
                if *state == PostgresState::Gone {
                    tracing::info!(%server, "the database is back");
                }
                *state = PostgresState::Connected;
                Ok(())
            }
        }
    }

    /// Begins a transaction with a savepoint `job` in it, and says what time it is there.
    pub(super) async fn begin(&self, tx: &mut Tx, clock: &dyn Clock) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { .. } => {
                tx.raw("BEGIN IMMEDIATE; SAVEPOINT job").await?;
                let (ours, last) = (clock.now(), tx.now);
                tx.happens_at(ours, last, ours);
            }
            Self::Postgres { server, .. } => {
                let told = tx.conn.fetch_all(sqlx::raw_sql(TAKE_THE_TURN)).await?;
                let told = told.last().ok_or_else(|| {
                    StoreError::damaged("turn", "the database did not say what time it is")
                })?;
                postgres::keeps_what_it_acknowledges(server, told.try_get("commits")?)?;
                let theirs = instant(told.try_get("clock")?);
                let newest = instant(told.try_get("newest")?);
                let ours = clock.now();
                let now = match clock.instants() {
                    Instants::Ours => ours,
                    Instants::Databases => theirs,
                };
                tx.happens_at(now, newest, ours);
            }
        }
        Ok(())
    }

    /// Whether a job may join a transaction that has begun: else it would happen before it was handed
    /// in, and what came too late would seem to be in time.
    pub(super) fn each_job_has_its_instant(&self) -> bool {
        match self {
            Self::Sqlite { .. } => true,
            Self::Postgres { .. } => false,
        }
    }

    /// Whether no further job may follow in a transaction that jobs have been run in for so long.
    pub(super) fn has_had_its_turn(&self, so_long: Duration) -> bool {
        match self {
            Self::Sqlite { .. } => false,
            Self::Postgres { .. } => so_long >= TURN,
        }
    }

    /// The instant of the next job in the same transaction.
    pub(super) fn moves_on(&self, tx: &mut Tx, clock: &dyn Clock) {
        match self {
            Self::Sqlite { .. } => {
                let (ours, last) = (clock.now(), tx.now);
                tx.happens_at(ours, last, ours);
            }
            // The turn said what time it is, and it is short.
            Self::Postgres { .. } => {}
        }
    }

    /// Commits. [`StoreError::Unknown`] when nobody can say whether it did; after any other error
    /// it certainly did not.
    pub(super) async fn commit(&mut self, tx: &mut Tx) -> Result<(), StoreError> {
        match self {
            Self::Sqlite { broken, mark, .. } => match tx.raw("COMMIT").await {
                Ok(()) => Ok(()),
                // The frames did not fit, so the commit cannot have become durable.
                Err(StoreError::Full) => {
                    tx.undo().await;
                    Err(StoreError::Full)
                }
                Err(error) => {
                    tracing::error!(%error, "a commit failed; nothing is written from now on");
                    broken.cancel();
                    if let Err(error) = mark.set_for_the_next_start() {
                        tracing::error!(%error, "the database could not be marked as unchecked");
                    }
                    Err(StoreError::Unknown)
                }
            },
            Self::Postgres { state, .. } => {
                let said = match tokio::time::timeout(PATIENCE, tx.raw(COMMIT)).await {
                    Ok(said) => said,
                    Err(_) => Err(StoreError::Lost("it did not answer".to_owned())),
                };
                match said {
                    Ok(()) => Ok(()),
                    Err(StoreError::Lost(why)) => {
                        tracing::error!(why, "the database went away while it was to commit");
                        *state = PostgresState::Gone;
                        Err(StoreError::Unknown)
                    }
                    Err(error) => {
                        undo(state, tx).await;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Undoes what nobody wants kept.
    pub(super) async fn undo(&mut self, tx: &mut Tx) {
        match self {
            Self::Sqlite { .. } => tx.undo().await,
            Self::Postgres { state, .. } => undo(state, tx).await,
        }
    }

    /// Does what comes before the commit. A server that falls silent is taken for gone: it was not
    /// told to commit, so nothing was written.
    pub(super) async fn patiently<T>(
        &self,
        work: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match self {
            Self::Sqlite { .. } => work.await,
            Self::Postgres { .. } => match tokio::time::timeout(PATIENCE, work).await {
                Ok(done) => done,
                Err(_) => Err(StoreError::Lost("it did not answer".to_owned())),
            },
        }
    }

    /// Undoes what was not committed, and lets go of a server that is gone.
    pub(super) async fn give_up(&mut self, tx: &mut Tx, why: &StoreError) {
        match (self, why) {
            (Self::Postgres { state, .. }, StoreError::Lost(why)) => {
                tracing::error!(why, "the database went away; nothing was written");
                *state = PostgresState::Gone;
            }
            (Self::Postgres { state, .. }, _) => undo(state, tx).await,
            (Self::Sqlite { .. }, _) => tx.undo().await,
        }
    }

    /// Says goodbye.
    pub(super) async fn close(self, conn: Conn) {
        let closed = match self {
            Self::Postgres { state: PostgresState::Gone, .. } => conn.close_hard().await,
            Self::Postgres { .. } | Self::Sqlite { .. } => conn.close().await,
        };
        if let Err(error) = &closed {
            tracing::warn!(%error, "the writing connection did not close cleanly");
        }
        // The mark is the desk's, and goes while nobody else can set it.
        if let Self::Sqlite { lock: Some(_held), mark, .. } = self
            && closed.is_ok()
            && let Err(error) = mark.was_closed()
        {
            tracing::warn!(%error, "the database stays marked, so the next start looks at every page");
        }
    }
}

/// A server that does not answer even to this is gone, and undoes it by itself.
async fn undo(state: &mut PostgresState, tx: &mut Tx) {
    if tokio::time::timeout(PATIENCE, tx.undo()).await.is_err() {
        tracing::error!("the database went away; nothing was written");
        *state = PostgresState::Gone;
    }
}

/// Tries for as long as somebody who pressed a button can wait.
async fn return_to(server: &Server) -> Result<AnyConnection, StoreError> {
    let mut last = StoreError::Lost("it did not answer".to_owned());
    let trying = async {
        loop {
            match postgres::connect_to_write(server).await {
                Ok(conn) => return conn,
                Err(error) => last = error,
            }
            tokio::time::sleep(BETWEEN_TRIES).await;
        }
    };
    match tokio::time::timeout(RETURNING, trying).await {
        Ok(conn) => Ok(conn),
        Err(_) => Err(StoreError::Lost(last.to_string())),
    }
}

#[cfg(test)]
mod tests;
