//! SQLite on the thread that asks.

use std::borrow::Cow;
use std::collections::HashMap;
use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::hooks::Wal;
use rusqlite::types::Null;
use rusqlite::{Connection, ErrorCode, OpenFlags, Statement};
use sqlx::any::{AnyArguments, AnyRow, AnyTypeInfoKind};
use sqlx::error::{DatabaseError, ErrorKind};
use sqlx::{Any, Error, Execute};
use sqlx_core::any::AnyValueKind;

use super::shape::Shape;

/// How long a statement waits for a command that writes beside it.
const PATIENCE: Duration = Duration::from_secs(5);
/// More than there are statements in the program, so that each is compiled once.
const STATEMENTS: usize = 512;
/// The working set of a busy desk fits, so that its pages are not read anew for each transaction.
const WRITER: &str = "PRAGMA foreign_keys = ON; PRAGMA synchronous = FULL;
PRAGMA cache_size = -65536;";
/// So many pages, 16 MiB, the log has before it is folded into the file, which costs two syncs.
const LONG: i32 = 4096;

/// A connection that blocks whoever asks.
#[derive(Debug)]
pub(crate) struct Here {
    conn: Connection,
    shapes: HashMap<Box<str>, Shape>,
}

/// What a statement did and found.
pub(super) struct Done {
    /// Of the last statement that changed something, so meaningless after one that only reads.
    pub(super) rows_affected: u64,
    pub(super) rows: Vec<AnyRow>,
}

impl Here {
    /// Opens a file that exists, with every commit on disk before it is answered.
    pub(in crate::store) fn open(path: &Path) -> Result<Self, Error> {
        let here = Self::with(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        here.conn.execute_batch(WRITER).map_err(refused)?;
        here.conn.wal_hook(Some(fold_when_long));
        Ok(here)
    }

    pub(in crate::store) fn open_to_read(path: &Path) -> Result<Self, Error> {
        Self::with(path, OpenFlags::SQLITE_OPEN_READ_ONLY)
    }

    /// Nobody else uses the connection while we do, so SQLite need not guard it.
    fn with(path: &Path, flags: OpenFlags) -> Result<Self, Error> {
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(path, flags).map_err(refused)?;
        conn.busy_timeout(PATIENCE).map_err(refused)?;
        conn.set_prepared_statement_cache_capacity(STATEMENTS);
        // Else a statement is compiled anew whenever another value might call for another plan.
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map_err(refused)?;
        Ok(Self { conn, shapes: HashMap::new() })
    }

    /// Ends the transaction of a reader.
    pub(in crate::store) fn rest(&mut self) {
        if !self.conn.is_autocommit()
            && let Err(error) = self.conn.execute_batch("ROLLBACK")
        {
            tracing::warn!(%error, "a reader could not end its transaction");
        }
    }

    pub(super) fn close(self) -> Result<(), Error> {
        self.conn.close().map_err(|(_, error)| refused(error))
    }

    /// Runs one statement, or says some words of transaction control.
    pub(super) fn run<'q>(&mut self, mut query: impl Execute<'q, Any>) -> Result<Done, Error> {
        let arguments = query.take_arguments().map_err(Error::Encode)?;
        let sql = query.sql();
        let mut rows = Vec::new();
        match arguments {
            Some(arguments) => self.run_one(sql.as_str(), &arguments, &mut rows)?,
            None => self.say(sql.as_str())?,
        }
        Ok(Done { rows_affected: self.conn.changes(), rows })
    }

    fn run_one(
        &mut self,
        sql: &str,
        arguments: &AnyArguments,
        rows: &mut Vec<AnyRow>,
    ) -> Result<(), Error> {
        let mut statement = self.conn.prepare_cached(sql).map_err(refused)?;
        let shape = match self.shapes.get(sql) {
            Some(shape) => shape,
            None => {
                debug_assert!(is_quick(&self.conn, sql), "it reads a whole table: {sql}");
                self.shapes.entry(sql.into()).or_insert(Shape::of(&statement))
            }
        };
        for (index, number) in shape.parameters() {
            let value = arguments.values.0.get(number).unwrap_or(&NOTHING);
            bind(&mut statement, index, value).map_err(refused)?;
        }
        step_through(&mut statement, shape, rows)
    }

    /// The words that begin and end transactions: several in one breath, and again and again.
    fn say(&self, words: &str) -> Result<(), Error> {
        for word in words.split(';') {
            let mut statement = self.conn.prepare_cached(word).map_err(refused)?;
            statement.raw_execute().map_err(refused)?;
        }
        Ok(())
    }
}

/// Folds the log into the file after a commit. What cannot be folded stays in the log and is written
/// again the next time, so nothing is lost by it; SQLite's own way would tell nobody.
fn fold_when_long(log: &Wal, pages: i32) -> rusqlite::Result<()> {
    if pages >= LONG
        && let Err(error) = log.checkpoint()
        && error.sqlite_error_code() != Some(ErrorCode::DatabaseBusy)
    {
        tracing::error!(%error, "the log cannot be folded into the database; look at the disk");
    }
    Ok(())
}

/// What everybody must say who reads a table from end to end on the writer's connection.
const EVERY_ROW: &str = "/* every row */";

/// Whether a statement takes as long when the desk has been in use for years: the writer makes all
/// others wait.
fn is_quick(conn: &Connection, sql: &str) -> bool {
    let reads_a_table = || -> rusqlite::Result<bool> {
        let mut plan = conn.prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?;
        let steps = plan.raw_query().mapped(|step| step.get::<_, String>("detail"));
        let steps: Vec<String> = steps.collect::<Result<_, _>>()?;
        let made = |name: &str| {
            steps.iter().any(|step| {
                let named = |by| step.strip_prefix(by) == Some(name);
                named("CO-ROUTINE ") || named("MATERIALIZE ")
            })
        };
        let scanned = steps.iter().filter_map(|step| step.strip_prefix("SCAN "));
        Ok(scanned.filter(|name| !name.contains(' ')).any(|name| !made(name)))
    };
    let reads_only = conn.is_readonly("main").unwrap_or_default();
    reads_only || sql.contains(EVERY_ROW) || reads_a_table() == Ok(false)
}

const NOTHING: AnyValueKind = AnyValueKind::Null(AnyTypeInfoKind::Null);

fn bind(statement: &mut Statement<'_>, index: usize, value: &AnyValueKind) -> rusqlite::Result<()> {
    match value {
        AnyValueKind::Bool(value) => statement.raw_bind_parameter(index, value),
        AnyValueKind::SmallInt(value) => statement.raw_bind_parameter(index, value),
        AnyValueKind::Integer(value) => statement.raw_bind_parameter(index, value),
        AnyValueKind::BigInt(value) => statement.raw_bind_parameter(index, value),
        AnyValueKind::Real(value) => statement.raw_bind_parameter(index, value),
        AnyValueKind::Double(value) => statement.raw_bind_parameter(index, value),
        AnyValueKind::Text(value) => statement.raw_bind_parameter(index, value.as_str()),
        AnyValueKind::TextSlice(value) => statement.raw_bind_parameter(index, &**value),
        AnyValueKind::Blob(value) => statement.raw_bind_parameter(index, value.as_slice()),
        _ => statement.raw_bind_parameter(index, Null),
    }
}

fn step_through(
    statement: &mut Statement<'_>,
    shape: &Shape,
    found: &mut Vec<AnyRow>,
) -> Result<(), Error> {
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next().map_err(refused)? {
        found.push(shape.row(row).map_err(refused)?);
    }
    Ok(())
}

/// What SQLite said, in the words in which sqlx tells it.
fn refused(error: rusqlite::Error) -> Error {
    match error {
        rusqlite::Error::SqliteFailure(code, words) => {
            let message = words.unwrap_or_else(|| code.to_string());
            Error::Database(Box::new(Refused { code: code.extended_code, message }))
        }
        other => Error::AnyDriverError(Box::new(other)),
    }
}

#[derive(Debug, thiserror::Error)]
#[error("(code: {code}) {message}")]
struct Refused {
    code: i32,
    message: String,
}

impl DatabaseError for Refused {
    fn message(&self) -> &str {
        &self.message
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        Some(self.code.to_string().into())
    }

    fn as_error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self
    }

    fn as_error_mut(&mut self) -> &mut (dyn StdError + Send + Sync + 'static) {
        self
    }

    fn into_error(self: Box<Self>) -> Box<dyn StdError + Send + Sync + 'static> {
        self
    }

    /// Nobody asks: whether a constraint may be broken is said in the statement.
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

#[cfg(test)]
mod tests;
