//! `docs/GUARANTEES.md` names every promise, and each test that it names is there.

use std::path::{Path, PathBuf};

#[test]
fn every_promise_names_tests_that_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let guarantees = std::fs::read_to_string(root.join("docs/GUARANTEES.md")).unwrap();
    let sources = sources(&root.join("tests"));
    for number in 1..=24 {
        let row = guarantees.lines().find(|line| line.starts_with(&format!("| I{number} |")));
        let row = row.unwrap_or_else(|| panic!("I{number} has no row"));
        let named: Vec<&str> = row.split('`').filter(|word| is_a_test(word)).collect();
        assert!(!named.is_empty(), "I{number} names no test");
        for name in named {
            let (file, test) = name.rsplit_once("::").unwrap();
            let file = format!("{file}.rs");
            let found = sources.iter().find(|path| path.ends_with(&file));
            let path = found.cloned().unwrap_or_else(|| root.join(&file));
            let text = std::fs::read_to_string(&path)
                .unwrap_or_else(|error| panic!("I{number}: {file}: {error}"));
            assert!(text.contains(&format!("fn {test}(")), "I{number}: no {test} in {file}");
        }
    }
}

/// `file::name_of_a_test`; the program's own names begin with one word.
fn is_a_test(word: &str) -> bool {
    word.rsplit_once("::").is_some_and(|(_, test)| test.matches('_').count() >= 2)
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] }).collect()
}
