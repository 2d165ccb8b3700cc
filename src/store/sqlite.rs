//! A SQLite file: one process writes, any number read.

use std::path::Path;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use sqlx::{AnyConnection, Connection, Executor};

use super::StoreError;
use super::conn::{End, Here};
use super::lock::FileLock;
use super::schema;
use super::soundness::PageCheck;

/// The oldest SQLite without a known way to lose or damage a write-ahead log.
const OLDEST: &str = "3.51.3";

/// A file that was opened to be served from.
pub(super) struct Opened {
    pub(super) end: End,
    pub(super) lock: FileLock,
    /// Under way after an unclean stop.
    pub(super) check: Option<PageCheck>,
}

/// Opens the file for the process that writes it, creates it when it is not there and brings its
/// schema up to date.
pub(super) async fn open(path: &Path) -> Result<Opened, StoreError> {
    let lock = FileLock::take(path)?;
    let unclean = left_unclean(path);
    let mut conn = connect(path, "rwc").await?;
    check_version(&mut conn).await?;
    conn.execute("PRAGMA journal_mode = WAL").await?;
    if unclean {
        fold_log(path, &mut conn).await?;
    }
    let mut upgrade = conn.begin_with("BEGIN IMMEDIATE").await?;
    schema::bring_up_to_date(&schema::sqlite(), &mut upgrade).await?;
    upgrade.commit().await?;
    let writer = Here::open(path)?;
    let check = unclean.then(|| PageCheck::start(path)).transpose()?;
    conn.close().await?;
    Ok(Opened { end: End::Here(Box::new(writer)), lock, check })
}

/// Opens the file for a single command, beside the process that writes it.
pub(super) async fn open_beside(path: &Path) -> Result<End, StoreError> {
    let mut conn = connect(path, "rw").await?;
    check_version(&mut conn).await?;
    schema::check(&schema::sqlite(), &mut conn).await?;
    // Beside a desk there always is a log; without one it was left by a desk that died.
    if left_unclean(path)
        && let Ok(_nobody_serves) = FileLock::take(path)
    {
        fold_log(path, &mut conn).await?;
    }
    let writer = Here::open(path)?;
    conn.close().await?;
    Ok(End::Here(Box::new(writer)))
}

/// A reader migrates nothing, so what it finds must be exactly what it knows.
pub(super) async fn check(path: &Path) -> Result<(), StoreError> {
    let mut conn = connect(path, "ro").await?;
    check_version(&mut conn).await?;
    schema::check(&schema::sqlite(), &mut conn).await?;
    conn.close().await?;
    Ok(())
}

/// SQLite removes its write-ahead log when the last connection closes; a crash leaves it.
fn left_unclean(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).metadata().is_ok_and(|log| log.len() > 0)
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

/// Writes into the file, and waits for the disk, what a log of unknown origin holds; then begins it anew.
/// A sync that failed may have lost parts of the log that the system still shows from its cache. What
/// was written behind such a hole would be gone with it after a power cut.
async fn fold_log(path: &Path, conn: &mut AnyConnection) -> Result<(), StoreError> {
    let folding = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(conn);
    let (busy, _, _): (i64, i64, i64) = folding.await?;
    if busy == 0 { Ok(()) } else { Err(StoreError::InUse { path: path.display().to_string() }) }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::{RandomIds, SystemClock};
    use crate::store::Store;

    #[tokio::test]
    async fn what_a_crash_left_in_the_log_is_written_anew_before_anything_follows() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = |name: &str| format!("sqlite://{}", folder.path().join(name).display());
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let first = Store::open(&url("first"), clock.clone(), ids.clone()).await.expect("a store");
        // What a crash leaves is what is there while somebody has it open.
        for end in ["", "-wal"] {
            for copy in ["served", "beside"] {
                let copied = |name: &str| folder.path().join(format!("{name}{end}"));
                std::fs::copy(copied("first"), copied(copy)).expect("a copy");
            }
        }
        let in_the_log = |name: &str| left_unclean(&folder.path().join(name));
        assert!(in_the_log("served") && in_the_log("beside"));
        let served = Store::open(&url("served"), clock.clone(), ids.clone()).await.expect("served");
        let beside = Store::open_beside(&url("beside"), clock, ids).await.expect("beside");
        assert!(!in_the_log("served") && !in_the_log("beside"));
        for store in [first, served, beside] {
            store.close().await;
        }
    }
}
