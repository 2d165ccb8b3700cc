//! What can be wrong with a machine's disk.

use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::io::Errno;

use crate::machine::Machine;

/// The numbers of `struct orders` in machine.c that are about the disk.
const CALL: u64 = 1;
const ERROR: u64 = 2;
const AFTER: u64 = 3;
const TIMES: u64 = 4;
const FAILED: u64 = 5;
const FORGETS: u64 = 6;

/// What the disk is asked to do.
#[derive(Clone, Copy, Debug)]
pub enum Call {
    Write = 1,
    Sync = 2,
    Cut = 4,
}

/// What the disk does wrong.
#[derive(Clone, Copy, Debug)]
pub struct Fault {
    pub call: Call,
    pub error: Errno,
    /// So many calls are well before.
    pub after: u32,
    /// So many fail then.
    pub times: u32,
}

impl Fault {
    /// Nothing more can be written until there is room again.
    pub const FULL: Self =
        Self { call: Call::Write, error: Errno::NOSPC, after: 0, times: u32::MAX };
    /// The next commit cannot be brought to the disk, nor what a closing desk folds into its file.
    pub const A_COMMIT: Self = Self { call: Call::Sync, error: Errno::IO, after: 0, times: 2 };
}

impl Machine {
    pub fn disk_does(&self, fault: Fault) -> io::Result<()> {
        self.disk_is_well()?;
        self.order(CALL, fault.call as i64)?;
        self.order(AFTER, fault.after.into())?;
        self.order(TIMES, fault.times.into())?;
        self.order(FAILED, 0)?;
        self.order(ERROR, fault.error.raw_os_error().into())
    }

    pub fn disk_is_well(&self) -> io::Result<()> {
        self.order(ERROR, 0)
    }

    /// How many calls the last fault made fail.
    pub fn failures(&self) -> io::Result<i64> {
        let mut number = [0; 8];
        self.orders.read_exact_at(&mut number, 8 * FAILED)?;
        Ok(i64::from_ne_bytes(number))
    }

    /// From now on the disk has what was synced and nothing else; a sync that fails loses for good what
    /// was to be synced. Whoever reads is served from a cache, and notices nothing until the power
    /// fails.
    pub fn disk_has_only_what_was_synced(&self) -> io::Result<()> {
        self.order(FORGETS, 1)
    }
}

/// The power fails: of a database there is what the disk really has.
pub fn power_fails(database: &Path) -> io::Result<()> {
    let beside = |end: &str| {
        let mut path = database.as_os_str().to_owned();
        path.push(end);
        PathBuf::from(path)
    };
    for (file, kept) in [("", ".kept"), ("-wal", "-wal.kept")] {
        std::fs::remove_file(beside(file)).or_else(gone_already)?;
        std::fs::copy(beside(kept), beside(file)).map(drop).or_else(gone_already)?;
    }
    std::fs::remove_file(beside("-shm")).or_else(gone_already)
}

fn gone_already(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }
}
