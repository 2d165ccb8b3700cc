//! The write-ahead log beside a file: whether a crash left one, and how the disk is made to have it.
//!
//! A sync that failed may have lost parts of the log that the system still shows from its cache. What
//! was written behind such a hole would be gone with it after a power cut. So before anything follows,
//! what a log of unknown origin holds is written once more, and waited for.

use std::fs::OpenOptions;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sqlx::{AnyConnection, Connection};

use super::StoreError;

/// How much of a log is written at once.
const PART: usize = 1 << 20;

/// SQLite removes its write-ahead log when the last connection closes; a crash leaves it.
pub(super) fn was_left(database: &Path) -> bool {
    of(database).metadata().is_ok_and(|log| log.len() > 0)
}

/// Folds the log into the file and begins it anew. While others read, which may be for ever, it cannot
/// be begun anew, and not even be folded if they began before the crash: it is written anew where it is.
pub(super) async fn have_the_disk_take_it(
    database: &Path,
    conn: &mut AnyConnection,
) -> Result<(), StoreError> {
    let folding = sqlx::query_as("PRAGMA wal_checkpoint(TRUNCATE)").fetch_one(&mut *conn);
    let (busy, _, _): (i64, i64, i64) = folding.await?;
    if busy == 0 {
        return Ok(());
    }
    tracing::info!("somebody reads the database, so its log is written anew and goes on");
    // Nobody adds to it meanwhile.
    let alone = conn.begin_with("BEGIN IMMEDIATE").await?;
    write_anew(&of(database)).map_err(|error| StoreError::Place {
        place: of(database).display().to_string(),
        why: error.to_string(),
    })?;
    alone.rollback().await?;
    Ok(())
}

/// Each byte over itself: whoever reads sees no difference.
fn write_anew(log: &Path) -> io::Result<()> {
    let log = OpenOptions::new().read(true).write(true).open(log)?;
    let mut part = vec![0; PART];
    let mut at = 0;
    loop {
        let read = log.read_at(&mut part, at)?;
        if read == 0 {
            return log.sync_all();
        }
        log.write_all_at(&part[..read], at)?;
        at += read as u64;
    }
}

/// SQLite keeps it beside the file itself, whatever that is called here.
fn of(database: &Path) -> PathBuf {
    let database = database.canonicalize().unwrap_or_else(|_| database.to_path_buf());
    let mut log = database.into_os_string();
    log.push("-wal");
    PathBuf::from(log)
}

#[cfg(test)]
mod tests;
