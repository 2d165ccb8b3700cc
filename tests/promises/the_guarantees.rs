//! `docs/GUARANTEES.md` names every promise, `docs/CRASHES.md` every crash window and `docs/SLACK.md` every
//! fault of Slack, and whatever they name is there and is run.

use std::path::{Path, PathBuf};

use countersign::base::failpoint::Point;

use crate::what_scripts_run::Orders;

#[test]
fn every_promise_names_tests_that_exist() {
    let guarantees = document("docs/GUARANTEES.md");
    for number in 1..=24 {
        let row = row(&guarantees, &format!("I{number}"));
        assert!(names_tests_that_exist(row) > 0, "I{number} names no test");
    }
}

#[test]
fn every_crash_window_names_failpoints_and_tests_that_exist() {
    let crashes = document("docs/CRASHES.md");
    let named = |row: &str| -> Vec<Point> {
        let words: Vec<&str> = row.split('`').collect();
        Point::ALL.iter().copied().filter(|at| words.contains(&&*format!("{at:?}"))).collect()
    };
    let mut tried = Vec::new();
    for number in 1..=36 {
        let row = row(&crashes, &format!("C{number}"));
        let tests = names_tests_that_exist(row);
        let points = named(row);
        let needs_none = ["C29", "C31", "C32"].contains(&&*format!("C{number}"));
        assert!(needs_none || tests + points.len() > 0, "C{number} is tried nowhere");
        tried.extend(points);
    }
    for point in Point::ALL {
        assert!(tried.contains(point), "{point:?} is in no window");
    }
}

#[test]
fn every_fault_of_slack_names_tests_that_exist_or_says_why_not() {
    let faults = document("docs/SLACK.md");
    for number in 1..=24 {
        let row = row(&faults, &format!("S{number}"));
        let excused = ["S12", "S15"].contains(&&*format!("S{number}"));
        assert_eq!(names_tests_that_exist(row) == 0, excused, "S{number}: {row}");
        assert_eq!(row.contains("does not exist here"), excused, "S{number}: {row}");
    }
}

fn document(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn row<'a>(document: &'a str, name: &str) -> &'a str {
    let row = document.lines().find(|line| line.starts_with(&format!("| {name} |")));
    row.unwrap_or_else(|| panic!("{name} has no row"))
}

/// Says how many a row names. Each is run with every change, or the row says what runs it.
fn names_tests_that_exist(row: &str) -> usize {
    let sources = sources(&root().join("tests"));
    let orders = Orders::of(root(), "scripts/test");
    let parts: Vec<&str> = row.split('`').collect();
    for (before, word) in parts.iter().zip(&parts[1..]) {
        let stands_alone = word.starts_with("scripts/") && *before != " (by hand: ";
        assert!(!stands_alone, "{row}: {word} runs no test that is named");
    }
    let named = parts.iter().enumerate().filter(|(_, word)| is_a_test(word));
    let mut count = 0;
    for (nth, name) in named {
        let (file, test) = name.rsplit_once("::").unwrap();
        let file = format!("{file}.rs");
        let found = sources.iter().find(|path| path.ends_with(&file));
        let path = found.cloned().unwrap_or_else(|| root().join(&file));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{row}: {file}: {error}"));
        let at = text.find(&format!("fn {test}("));
        let at = at.unwrap_or_else(|| panic!("{row}: no {test} in {file}"));
        let ignored = text[..at].rsplit("\n\n").next().unwrap().contains("#[ignore");
        let from_here = path.strip_prefix(root()).unwrap();
        match parts[nth + 1..] {
            [" (by hand: ", script, ..] => {
                assert!(ignored, "{row}: {test} is run by itself");
                let runs = Orders::of(root(), script).run(from_here, test);
                assert!(runs, "{row}: {script} does not run {test}");
            }
            _ => assert!(!ignored || orders.run(from_here, test), "{row}: nobody runs {test}"),
        }
        count += 1;
    }
    count
}

/// `file::name_of_a_test`; the program's own names begin with one word.
fn is_a_test(word: &str) -> bool {
    word.rsplit_once("::").is_some_and(|(_, test)| test.matches('_').count() >= 2)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
