//! The mark of a file that was opened to be served from: `<database>.unchecked` beside it.
//!
//! It goes when the desk has closed and nothing is left to look at. So a start that finds it knows that
//! the last end was unclean, or that not every page was looked at since one that was. A write-ahead log
//! that stayed behind says as much, but only until somebody folds it, and anybody may.
//!
//! It is empty unless a commit failed on its way to the disk. That may have been a command's, and the
//! desk beside it, which closes in good order, knows of it only from the file.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::StoreError;
use super::lock::FileLock;

/// What it says of a commit that failed.
const BROKE: &[u8] = b"a commit failed\n";

/// The mark of one file. Every clone is the same.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    file: PathBuf,
    stays: Arc<Mutex<Stays>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stays {
    UntilLookedAt,
    UntilClosed,
    /// What the disk has is in doubt, whatever a look finds that has begun before.
    ForTheNextStart,
}

impl Mark {
    pub(super) fn of(database: &Path) -> Self {
        // Beside the file itself, whatever it is called here.
        let database = database.canonicalize().unwrap_or_else(|_| database.to_path_buf());
        let file = database.with_added_extension("unchecked");
        Self { file, stays: Arc::new(Mutex::new(Stays::UntilClosed)) }
    }

    /// Who cannot tell takes it for there.
    pub(super) fn is_there(&self) -> bool {
        self.file.try_exists().unwrap_or(true)
    }

    /// Sets it, and waits until it is on the disk.
    pub(super) fn set(&self) -> Result<(), StoreError> {
        self.set_with(&[]).map_err(|error| self.cannot(&error))
    }

    fn set_with(&self, bytes: &[u8]) -> io::Result<()> {
        let mut file = File::create(&self.file)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        self.sync_folder()
    }

    /// From now on it stays until every page was looked at.
    pub(super) fn waits_for_a_look(&self) {
        *self.stays() = Stays::UntilLookedAt;
    }

    /// Every page was looked at, and nothing is wrong.
    pub(super) fn was_looked_at(&self) {
        let mut stays = self.stays();
        if *stays == Stays::UntilLookedAt {
            *stays = Stays::UntilClosed;
        }
    }

    /// A commit failed on its way to the disk.
    pub(super) fn set_for_the_next_start(&self) -> Result<(), StoreError> {
        *self.stays() = Stays::ForTheNextStart;
        self.set_with(BROKE).map_err(|error| self.cannot(&error))
    }

    /// The file is closed, in good order.
    pub(super) fn was_closed(&self) -> Result<(), StoreError> {
        if *self.stays() != Stays::UntilClosed {
            return Ok(());
        }
        let gone = match self.remove_if_empty() {
            // Whoever took the folder away took the mark along.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            gone => gone.and_then(|()| self.sync_folder()),
        };
        gone.map_err(|error| self.cannot(&error))
    }

    fn remove_if_empty(&self) -> io::Result<()> {
        if fs::metadata(&self.file)?.len() == 0 { fs::remove_file(&self.file) } else { Ok(()) }
    }

    fn stays(&self) -> MutexGuard<'_, Stays> {
        // Each use is one step.
        self.stays.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync_folder(&self) -> io::Result<()> {
        match self.file.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
            _ => File::open(".")?.sync_all(),
        }
    }

    fn cannot(&self, error: &io::Error) -> StoreError {
        StoreError::Place { place: self.file.display().to_string(), why: error.to_string() }
    }
}

/// Whether nobody serves from a file, and the next start will look at every page of it.
pub fn is_unchecked(database: &Path) -> bool {
    Mark::of(database).is_there() && FileLock::take(database).is_ok()
}
