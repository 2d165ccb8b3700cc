//! What can go wrong with the store, and for each: did it happen or not?

use std::sync::Arc;

use crate::base::WorkspaceId;

/// Why the store did not do what it was asked.
///
/// Every kind but [`Unknown`](StoreError::Unknown) means that nothing was written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "`{url}` is no database we know; write it like sqlite://countersign.db or \
         postgres://user@host/database"
    )]
    Url { url: String },
    #[error("the system gave us no thread to write on: {0}")]
    Thread(String),
    #[error("another process is using `{path}`; stop it first, or point this one at another file")]
    InUse { path: String },
    #[error(
        "desks or other commands are connected to `{place}` ({sessions} sessions, those that a pooler \
         keeps included); close them first"
    )]
    Served { place: String, sessions: i64 },
    #[error("`{place}` cannot be opened: {why}")]
    Place { place: String, why: String },
    #[error(
        "`{place}` is a backup, and what it shows as open may have been done since: put it back with \
         `countersign restore`, or, if it is in its place already, with `countersign restore --in-place`"
    )]
    Backup { place: String },
    #[error(
        "a restore of this database broke off, and some of what its backup shows as open would still \
         start: give `countersign restore --in-place` again"
    )]
    HalfRestored,
    #[error(
        "`{place}` takes no writes: it is a standby, or read-only; point `store` at the primary"
    )]
    Standby { place: String },
    /// What waits there is another company's, or another installation's.
    #[error(
        "this database belongs to the Slack workspace {theirs}, and the bot token is of {ours}; use the \
         token of {theirs}, or give {ours} a database of its own"
    )]
    Elsewhere { theirs: WorkspaceId, ours: WorkspaceId },
    /// A server that acknowledges what a crash may still undo.
    #[error(
        "`{place}` has synchronous_commit = off, so a decision that was acknowledged could be lost; \
         set it to on"
    )]
    Forgetful { place: String },
    /// Statements are prepared by name, and a name must mean the same in every session.
    #[error(
        "a pooler on the way to `{place}` hands sessions around and loses the statements prepared in \
         them: let it pool by session, use PgBouncer 1.21 or newer with max_prepared_statements above \
         zero, or go to the server directly"
    )]
    Pooler { place: String },
    /// A reader would wait for the writer, and for ever for one that waits for it.
    #[error(
        "a pooler on the way to `{place}` hands out no second session while one is in use: give it a \
         pool of at least 6 for each desk (PgBouncer: default_pool_size), or go to the server directly"
    )]
    OneSession { place: String },
    #[error("this is SQLite {found}; at least {needed} is needed")]
    OldSqlite { found: String, needed: &'static str },
    #[error("the database was written by a newer version of countersign: {0}")]
    NewerSchema(String),
    #[error("the database could not be brought up to date: {0}")]
    Migration(String),
    /// The lease has ended and somebody else has the work now; what they do counts.
    #[error("another worker has taken over")]
    Fenced,
    #[error("there is no {0}")]
    NotFound(&'static str),
    /// The same key came with another content.
    #[error("the key `{0}` was used before for something else")]
    Conflict(String),
    #[error("the disk is full; nothing was written")]
    Full,
    /// The database went away before it was told to commit.
    #[error("the database went away ({0}); nothing was written")]
    Lost(String),
    /// Another process was writing for too long, or the server was too slow.
    #[error("another process held the turn to write for too long; nothing was written")]
    Busy,
    /// The commit failed on its way to the disk. It may or may not have happened.
    #[error("nobody can say whether this was written; ask again to see")]
    Unknown,
    /// After a commit of unknown outcome nothing is written on the same handle any more.
    #[error(
        "a commit failed on its way to the disk, so nothing is written any more; look at the disk, \
         then start the desk again: it goes on from what the disk has"
    )]
    Poisoned,
    #[error("the store was opened for reading only")]
    ReadOnly,
    #[error("the store is closed")]
    Closed,
    #[error("a task panicked inside its transaction, which was undone")]
    Panicked,
    /// A row does not read as what this program writes.
    #[error("the stored {what} is damaged: {why}")]
    Damaged { what: &'static str, why: String },
    #[error("the database refused: {0}")]
    Database(Arc<sqlx::Error>),
}

impl StoreError {
    pub(crate) fn damaged(what: &'static str, why: impl ToString) -> Self {
        Self::Damaged { what, why: why.to_string() }
    }
}

/// SQLite's primary result codes, the low byte of every extended one: somebody else writes for longer
/// than we wait, a table is in use, the disk is full.
const SQLITE_BUSY: i64 = 5;
const SQLITE_LOCKED: i64 = 6;
const SQLITE_FULL: i64 = 13;
/// How long the codes of Postgres are; SQLite's are shorter.
const SQLSTATE: usize = 5;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(told) => match told.code() {
                Some(code) if code.len() == SQLSTATE => match code.as_ref() {
                    "53100" => Self::Full,
                    // Whoever is first in the line waits for a lock, those behind for their place.
                    "55P03" | "57014" => Self::Busy,
                    code if ends_the_connection(code) => Self::Lost(told.message().to_owned()),
                    _ => Self::Database(Arc::new(error)),
                },
                Some(code) => match code.parse().map(|code: i64| code & 0xff) {
                    Ok(SQLITE_BUSY | SQLITE_LOCKED) => Self::Busy,
                    Ok(SQLITE_FULL) => Self::Full,
                    Ok(_) | Err(_) => Self::Database(Arc::new(error)),
                },
                None => Self::Database(Arc::new(error)),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::WorkerCrashed => Self::Lost(error.to_string()),
            _ => Self::Database(Arc::new(error)),
        }
    }
}

/// Codes after which a server is of no use on this connection: it is cut (08), the server stops or
/// starts (57P), the session was idle for too long (25P03) or takes no writes any more (25006).
fn ends_the_connection(code: &str) -> bool {
    code.starts_with("08") || code.starts_with("57P") || matches!(code, "25P03" | "25006")
}
