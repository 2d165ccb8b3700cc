//! A SQLite file: one process writes, any number read.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use sqlx::{AnyConnection, Connection, Executor};

use super::StoreError;
use super::conn::{End, Here};
use super::lock::FileLock;
use super::mark::Mark;
use super::open::Purpose;
use super::soundness::PageCheck;
use super::{log, schema};

/// The oldest SQLite without a known way to lose or damage a write-ahead log.
const OLDEST: &str = "3.51.3";

/// A file that was opened to be served from.
pub(super) struct Opened {
    pub(super) end: End,
    pub(super) lock: FileLock,
    pub(super) mark: Mark,
    /// Under way after an unclean stop.
    pub(super) check: Option<PageCheck>,
}

/// Opens the file for the process that writes it, creates it when it is not there and brings its
/// schema up to date.
pub(super) async fn open(path: &Path, purpose: Purpose) -> Result<Opened, StoreError> {
    let lock = FileLock::take(path)?;
    let mark = Mark::of(path);
    let unclean = log::was_left(path) || mark.is_there();
    // Before anything is opened: whoever closes a file folds its log.
    mark.set()?;
    let mut conn = connect(path, "rwc").await?;
    check_version(&mut conn).await?;
    if purpose == Purpose::Work && is_backup(&mut conn).await? {
        conn.close().await?;
        if !unclean {
            mark.was_closed()?;
        }
        return Err(backup(path));
    }
    conn.execute("PRAGMA journal_mode = WAL").await?;
    if unclean {
        mark.waits_for_a_look();
        log::have_the_disk_take_it(path, &mut conn).await?;
    }
    let mut upgrade = conn.begin_with("BEGIN IMMEDIATE").await?;
    schema::bring_up_to_date(&schema::sqlite(), &mut upgrade).await?;
    upgrade.commit().await?;
    let writer = Here::open(path)?;
    let check = unclean.then(|| PageCheck::start(path, mark.clone())).transpose()?;
    conn.close().await?;
    Ok(Opened { end: End::Here(Box::new(writer)), lock, mark, check })
}

/// Opens the file for a single command, beside the process that writes it.
pub(super) async fn open_beside(path: &Path) -> Result<(End, Mark), StoreError> {
    let mark = Mark::of(path);
    // Beside a desk there always is a log; without one it was left by somebody who died. To look at
    // every page is left to the next desk.
    let alone = if log::was_left(path) { FileLock::take(path).ok() } else { None };
    if alone.is_some() {
        mark.set()?;
    }
    let mut conn = connect(path, "rw").await?;
    check_version(&mut conn).await?;
    if is_backup(&mut conn).await? {
        return Err(backup(path));
    }
    schema::check(&schema::sqlite(), &mut conn).await?;
    if alone.is_some() {
        log::have_the_disk_take_it(path, &mut conn).await?;
    }
    drop(alone);
    let writer = Here::open(path)?;
    conn.close().await?;
    Ok((End::Here(Box::new(writer)), mark))
}

/// Marks a copy of a database, so that nobody takes it for the database itself. A restore
/// [takes the mark away](NO_BACKUP) with the commit that says that it is over.
pub(super) async fn mark_as_backup(path: &Path) -> Result<(), StoreError> {
    let mut conn = connect(path, "rw").await?;
    conn.execute("PRAGMA user_version = 1").await?;
    conn.close().await?;
    Ok(())
}

/// The number that SQLite keeps in a file's header for whoever uses it. Nothing else of ours sets it.
pub(super) const NO_BACKUP: &str = "PRAGMA user_version = 0";

async fn is_backup(conn: &mut AnyConnection) -> Result<bool, StoreError> {
    let version: i64 = sqlx::query_scalar("PRAGMA user_version").fetch_one(conn).await?;
    Ok(version != 0)
}

fn backup(path: &Path) -> StoreError {
    StoreError::Backup { place: path.display().to_string() }
}

/// A reader migrates nothing, so what it finds must be exactly what it knows.
pub(super) async fn check(path: &Path) -> Result<(), StoreError> {
    let mut conn = connect(path, "ro").await?;
    check_version(&mut conn).await?;
    schema::check(&schema::sqlite(), &mut conn).await?;
    conn.close().await?;
    Ok(())
}

async fn connect(path: &Path, mode: &str) -> Result<AnyConnection, StoreError> {
    AnyConnection::connect(&driver_url(path, mode)).await.map_err(|error| cannot_open(path, &error))
}

fn cannot_open(path: &Path, error: &sqlx::Error) -> StoreError {
    StoreError::Place { place: path.display().to_string(), why: error.to_string() }
}

fn driver_url(path: &Path, mode: &str) -> String {
    let path = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
    format!("sqlite:{path}?mode={mode}")
}

async fn check_version(conn: &mut AnyConnection) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(conn).await?;
    let number = |version: &str| -> Vec<u32> {
        version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
    };
    if number(&found) < number(OLDEST) {
        return Err(StoreError::OldSqlite { found, needed: OLDEST });
    }
    Ok(())
}
