//! One process writes one SQLite file: an advisory lock beside it says which.

use std::fs::{File, OpenOptions};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::StoreError;

/// Held while the file is open for writing; the system lets go of it when the process dies.
#[derive(Debug)]
pub(crate) struct FileLock(#[expect(dead_code, reason = "dropping it is its use")] File);

impl FileLock {
    /// Takes `<database>.lock`, or says that somebody else holds it.
    pub(crate) fn take(database: &Path) -> Result<Self, StoreError> {
        let path = database.with_added_extension("lock");
        let file =
            OpenOptions::new().create(true).write(true).truncate(false).open(&path).map_err(
                |error| StoreError::Place {
                    place: path.display().to_string(),
                    why: error.to_string(),
                },
            )?;
        flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(|_| StoreError::InUse { path: database.display().to_string() })?;
        Ok(Self(file))
    }
}
