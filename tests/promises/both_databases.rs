//! One suite runs every function of the store on both databases: `scripts/test` runs these stories on SQLite
//! and once more on Postgres, and whatever they do not reach is named here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use countersign::base::{Clock, RandomIds};
use countersign::store::Store;

use crate::office::{INVOICE, Office};

/// Of files alone: a server has means of its own.
const OF_FILES: [&str; 1] = ["copy_to"];
/// What a desk does of itself, which the stories let happen.
const DESK: [&str; 6] =
    ["src/app", "src/app.rs", "src/desk", "src/http", "src/work", "src/demo/world.rs"];
/// Tests run on a server, if there is one, where they have one of these. Several desks always do.
const ON_A_SERVER: [&str; 2] = ["Office::open", "Rehearsal"];

#[test]
fn every_function_of_the_store_runs_on_both() {
    let scripts = std::fs::read_to_string(root().join("scripts/test")).unwrap();
    for suite in ["--lib -- --include-ignored store::", "--test promises", "--test replicas"] {
        let on_postgres = scripts.split("scripts/with-postgres").nth(1).unwrap();
        assert!(on_postgres.contains(suite), "{suite} does not run on Postgres");
    }
    let desk: Vec<String> = DESK.iter().flat_map(|path| texts(&root().join(path))).collect();
    let folders = ["tests/promises", "src/store"].iter();
    let mut tests: Vec<String> = folders.flat_map(|path| texts(&root().join(path))).collect();
    tests.retain(|text| {
        text.contains("#[tokio::test") && ON_A_SERVER.iter().any(|word| text.contains(word))
    });
    tests.extend(texts(&root().join("tests/replicas")));
    let functions = functions();
    assert!(functions.len() > 80, "they are not found: {functions:?}");
    for (name, file) in functions {
        let opens = format!("Store::{name}(");
        let called = |text: &str, call: &str| text.contains(call) || text.contains(&opens);
        let runs = desk.iter().any(|text| called(text, &format!("store.{name}(")))
            || tests.iter().any(|text| called(text, &format!(".{name}(")));
        let excused = OF_FILES.contains(&name.as_str());
        assert!(runs != excused, "{name} of {}: on Postgres {runs}", file.display());
    }
}

/// What only commands of an operator do.
#[tokio::test]
async fn an_operator_works_beside_a_desk() {
    let office = Office::opens().await;
    let desk = &office.world.app().unwrap().desk;
    let url = desk.config.store.as_str();
    let operator =
        Store::open_beside(url, office.clock.clone(), Arc::new(RandomIds)).await.unwrap();
    let workspace = operator.workspace().await.unwrap().unwrap();
    operator.stop(&workspace, "olga", "something is odd").await.unwrap();
    let (_, card) = office.asks("mia", INVOICE).await;
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 0, "stopped by whoever opened it beside the desk");
    operator.start(&workspace, "olga", "it was nothing").await.unwrap();
    let (_, card) = office.asks("mia", "pay invoice V-7720").await;
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);

    operator.check_every_page().await.unwrap();
    assert!(operator.was_at_work(&workspace, office.clock.now()).await.unwrap());
    operator.close().await;
    let alone = Store::open_to_restore(url, office.clock.clone(), Arc::new(RandomIds)).await;
    assert!(alone.is_err(), "nobody is alone beside a desk");
    office.closes().await;
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The public asynchronous functions of the store, and where they stand.
fn functions() -> BTreeMap<String, PathBuf> {
    let mut found = BTreeMap::new();
    for file in files(&root().join("src/store")) {
        let text = std::fs::read_to_string(&file).unwrap();
        let blocks = text.split("\nimpl Store {\n").skip(1);
        for block in blocks.map(|rest| rest.split("\n}\n").next().unwrap_or(rest)) {
            let begin = block.lines().filter_map(|line| line.strip_prefix("    pub async fn "));
            let names = begin.filter_map(|line| line.split(['(', '<']).next());
            found.extend(names.map(|name| (name.to_owned(), file.clone())));
        }
    }
    found
}

/// Each file's text without its spaces, so that a call reads the same however it is wrapped.
fn texts(path: &Path) -> Vec<String> {
    let files = files(path).into_iter();
    let read = |file: PathBuf| std::fs::read_to_string(file).unwrap();
    files.map(|file| read(file).split_whitespace().collect()).collect()
}

fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    let rust = |file: &PathBuf| file.is_dir() || file.extension().is_some_and(|end| end == "rs");
    entries.filter(rust).flat_map(|entry| files(&entry)).collect()
}
