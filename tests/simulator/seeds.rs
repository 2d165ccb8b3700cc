//! The seeds that failed once: a campaign writes them down, whoever mends what they found commits them,
//! and `cargo test` plays them again.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::counts::Counts;
use crate::simulation::Outcome;

/// Where they stand.
pub fn found() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulator/seeds/found.txt")
}

/// Each saved seed, with how many steps it is played for.
pub fn saved(file: &Path) -> Vec<(u64, u64)> {
    let text = std::fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let mut numbers = line.split(' ').map(str::parse);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(seed)), Some(Ok(steps))) => (seed, steps),
            _ => panic!("`{line}` begins with no seed and number of steps"),
        }
    };
    lines.map(read).collect()
}

/// Writes one down, unless it is there: on which commit it failed, and what it found.
pub fn save(file: &Path, seed: u64, steps: u64, outcome: &Outcome) {
    let Err(why) = &outcome.broken else { return };
    if saved(file).contains(&(seed, steps)) {
        return;
    }
    let commit = std::env::var("COUNTERSIGN_COMMIT").unwrap_or_else(|_| "unknown".to_owned());
    let why = why.lines().next().unwrap_or_default();
    let mut file = File::options().append(true).open(file).unwrap();
    writeln!(file, "{seed} {steps} at {commit}, step {}: {why}", outcome.steps).unwrap();
}

#[test]
fn a_seed_that_fails_is_written_down_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("found.txt");
    std::fs::write(&file, "# seed, steps, what it found\n7 600 I2: two ends\n").unwrap();
    let broken = Err("I14 nobody sees it\nand more of it".to_owned());
    let outcome = Outcome { steps: 4, trace: Vec::new(), counts: Counts::default(), broken };
    save(&file, 8, 3000, &outcome);
    save(&file, 8, 3000, &outcome);
    assert_eq!(saved(&file), [(7, 600), (8, 3000)]);
    let text = std::fs::read_to_string(&file).unwrap();
    assert!(text.ends_with(", step 4: I14 nobody sees it\n"), "{text}");
}
