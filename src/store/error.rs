//! What can go wrong with the store, and for each: did it happen or not?

use std::sync::Arc;

/// Why the store did not do what it was asked.
///
/// Every kind but [`Unknown`](StoreError::Unknown) means that nothing was written.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("`{url}` is no database we know; write it like sqlite://countersign.db")]
    Url { url: String },
    #[error("the system gave us no thread to write on: {0}")]
    Thread(String),
    #[error("another process is using `{path}`; stop it first, or point this one at another file")]
    InUse { path: String },
    #[error("`{path}` cannot be opened: {why}")]
    File { path: String, why: String },
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
    /// The commit failed on its way to the disk. It may or may not have happened.
    #[error("nobody can say whether this was written; the store must be opened again")]
    Unknown,
    /// After a commit of unknown outcome nothing is written on the same handle any more.
    #[error("the store refuses to write since a commit failed; restart to open it again")]
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

/// SQLite's primary result code for a full disk; the low byte of every extended one.
const SQLITE_FULL: i64 = 13;

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        let code = error
            .as_database_error()
            .and_then(|error| error.code())
            .and_then(|code| code.parse::<i64>().ok());
        match code {
            Some(code) if code & 0xff == SQLITE_FULL => Self::Full,
            Some(_) | None => Self::Database(Arc::new(error)),
        }
    }
}
