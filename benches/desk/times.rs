//! Durations, and how they are printed.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

/// The durations of one kind of thing.
#[derive(Default)]
pub struct Times(Vec<Duration>);

impl Times {
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// `median / 99th percentile`, in milliseconds.
    pub fn summary(&mut self) -> String {
        self.0.sort();
        format!("{} / {} ms", self.at(50), self.at(99))
    }

    fn at(&self, percent: usize) -> String {
        let nth = (self.0.len() * percent / 100).min(self.0.len().saturating_sub(1));
        let time = self.0.get(nth).copied().unwrap_or_default();
        format!("{:.2}", time.as_secs_f64() * 1000.0)
    }
}

impl Extend<Duration> for Times {
    fn extend<T: IntoIterator<Item = Duration>>(&mut self, times: T) {
        self.0.extend(times);
    }
}

impl IntoIterator for Times {
    type Item = Duration;
    type IntoIter = std::vec::IntoIter<Duration>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl FromIterator<Duration> for Times {
    fn from_iter<T: IntoIterator<Item = Duration>>(times: T) -> Self {
        Self(times.into_iter().collect())
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures durations")]
pub fn now() -> Instant {
    Instant::now()
}

/// The processor time of this process so far, where Linux tells: unlike the clock on the wall it
/// hardly depends on what else the machine is doing.
pub fn processor() -> Option<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    let spent = fields.split(' ').skip(11).take(2).map(str::parse::<u64>);
    let ticks = spent.sum::<Result<u64, _>>().ok()?;
    Some(Duration::from_millis(ticks * 10))
}

/// What each of so many things took of the processor since `before`.
pub fn processor_each(before: Option<Duration>, count: usize) -> String {
    let Some(spent) = before.zip(processor()).map(|(before, now)| now.saturating_sub(before))
    else {
        return "unknown".to_owned();
    };
    format!("{:.2} ms", spent.as_secs_f64() * 1000.0 / count as f64)
}

pub fn per_second(count: usize, took: Duration) -> String {
    format!("{:.0}/s", count as f64 / took.as_secs_f64())
}

/// What the disk below everything else takes for one durable write: the floor of every commit.
pub fn print_disk(rounds: usize) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let mut file = File::create(folder.path().join("probe")).expect("a file");
    let mut write = || {
        let start = now();
        file.write_all(&[7; 4096]).expect("a write");
        file.sync_data().expect("a sync");
        start.elapsed()
    };
    let mut times: Times = (0..rounds).map(|_| write()).collect();
    println!("disk: append 4 KiB and fdatasync, median / p99: {}", times.summary());
}

/// The memory of a process in MB, where Linux tells.
pub fn resident(status: &Path) -> String {
    let status = std::fs::read_to_string(status).unwrap_or_default();
    let kilobytes = status.lines().find_map(|line| {
        line.strip_prefix("VmRSS:")?.trim().strip_suffix(" kB")?.parse::<f64>().ok()
    });
    kilobytes.map_or_else(|| "?".to_owned(), |kilobytes| format!("{:.1}", kilobytes / 1024.0))
}
