//! The machine that a real desk believes to run on: its clock is wrong and its disk fails when a test
//! says so. `machine.c` stands between the desk and the C library; the orders to it, and how often it
//! followed them, are numbers in a file.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/machine/machine.c");
/// How many numbers `struct orders` in machine.c has, and which of them is about the clock; those about
/// the disk are named where they are used.
const ORDERS: u64 = 7;
const CLOCK_AHEAD: u64 = 0;

pub struct Machine {
    pub orders: File,
    path: PathBuf,
}

impl Machine {
    /// A machine whose orders lie in a folder. So far nothing is wrong with it.
    pub fn in_folder(folder: &Path, name: &str) -> io::Result<Self> {
        library()?;
        let path = folder.join(name);
        let orders = OpenOptions::new().create_new(true).read(true).write(true).open(&path)?;
        orders.set_len(8 * ORDERS)?;
        Ok(Self { orders, path })
    }

    /// What a process has to be started with to run on it.
    pub fn environment(&self) -> io::Result<[(&'static str, OsString); 2]> {
        let library = library()?.as_os_str().to_owned();
        let orders = self.path.clone().into_os_string();
        Ok([("LD_PRELOAD", library), ("COUNTERSIGN_TEST_MACHINE", orders)])
    }

    /// Sets the clock so many milliseconds ahead of the true one, or behind it.
    pub fn clock_is_ahead_by(&self, millis: i64) -> io::Result<()> {
        self.order(CLOCK_AHEAD, millis)
    }

    /// Sets one of the numbers.
    pub fn order(&self, which: u64, number: i64) -> io::Result<()> {
        self.orders.write_all_at(&number.to_ne_bytes(), 8 * which)
    }
}

/// machine.c, compiled once for each run of the tests.
fn library() -> io::Result<&'static Path> {
    static LIBRARY: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let library = LIBRARY.get_or_init(|| compiled().map_err(|error| error.to_string()));
    library.as_deref().map_err(|why| io::Error::other(why.clone()))
}

fn compiled() -> io::Result<PathBuf> {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join("machine.so");
    let unnamed = folder.join(format!("machine-{}.so", std::process::id()));
    let mut compiler = Command::new("cc");
    compiler.args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"]);
    let said = compiler.arg(&unnamed).args([SOURCE, "-ldl", "-lpthread"]).output()?;
    if !said.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&said.stderr)));
    }
    std::fs::rename(unnamed, &library)?;
    Ok(library)
}
