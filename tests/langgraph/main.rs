//! What the real LangGraph did with a graph, our runtime does too.
//!
//! The cases under `tests/fixtures/langgraph` are graphs with a script of calls each, in a form
//! that belongs to no language; the recordings beside them say what LangGraph did. The player here
//! reads a case ([`format`]), builds our graph of it ([`graphs`], [`prebuilt`]), makes the calls
//! ([`calls`]) through the public interface of [`countersign::graph`], writes down what came of
//! them in the recordings' form ([`canon`], [`streams`]), and compares ([`compare`]).
//!
//! - `LANGGRAPH_CASES=folder` plays all cases of that folder's `cases/` instead, against its
//!   `expected/`.
//! - `LANGGRAPH_OUT=folder` also writes what our runtime did, one file a case, in the form of the
//!   expectations.
//!
//! Nothing is skipped: what the player or the runtime does not know fails. One layer is left out:
//! LangGraph's stored channels and their versions, of which [`stored`] says what is compared.
//! Where we differ on purpose is in [`quirks`].

mod arguments;
mod calls;
mod canon;
mod compare;
mod expression;
mod format;
mod graphs;
mod inputs;
mod message;
mod models;
mod prebuilt;
mod program;
mod quirks;
mod returned;
mod review;
mod schema;
mod stored;
mod streams;
mod text;
mod threads;
mod tools;
mod watch;
mod world;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use self::calls::Player;
use self::canon::Canon;
use self::format::{Case, GraphForm};
use self::quirks::QUIRKS;
use self::threads::Threads;
use self::world::World;

/// A run of a case that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn every_case_goes_as_it_was_recorded() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/langgraph");
    let folder = folder("LANGGRAPH_CASES").unwrap_or_else(|| own.clone());
    let out = self::folder("LANGGRAPH_OUT");
    let (mut played, mut failures) = (0, Vec::new());
    for path in cases(&folder) {
        let id = path.file_stem().expect("a case file has a name").to_string_lossy().into_owned();
        played += 1;
        let document = match tokio::spawn(play(path)).await {
            Ok(Ok(document)) => document,
            Ok(Err(why)) => {
                failures.push(format!("{id}: {why}"));
                continue;
            }
            Err(panic) => {
                failures.push(format!("{id}: {panic}"));
                continue;
            }
        };
        if let Some(out) = &out {
            write(out, &id, &document);
        }
        failures.extend(judge(&id, &document, &folder, &own));
    }
    assert!(played > 0, "there are cases");
    let (failed, list) = (failures.len(), failures.join("\n"));
    assert!(failures.is_empty(), "{failed} of {played} cases did not go as recorded:\n{list}");
}

/// Why the case failed, if it did.
fn judge(id: &str, document: &Value, folder: &Path, own: &Path) -> Option<String> {
    let name = format!("{id}.json");
    let recorded = match read(&folder.join("expected").join(&name)) {
        Ok(recorded) => recorded,
        Err(why) => return Some(format!("{id}: {why}")),
    };
    let differences = compare::differences(&recorded, document);
    let report = |what: &str, lines: &[String]| {
        let shown: Vec<_> = lines.iter().take(6).map(|line| format!("\n    {line}")).collect();
        let more = lines.len();
        Some(format!("{id}: {what}, {more} differences:{}", shown.concat()))
    };
    if !QUIRKS.iter().any(|(quirk, _)| *quirk == id) {
        return if differences.is_empty() { None } else { report("not as recorded", &differences) };
    }
    if differences.is_empty() {
        return Some(format!("{id}: listed as a quirk, but it goes as recorded"));
    }
    match read(&own.join("ours").join(&name)) {
        Ok(ours) => {
            let differences = compare::differences(&ours, document);
            if differences.is_empty() { None } else { report("not as we promise", &differences) }
        }
        Err(why) => Some(format!("{id}: {why}")),
    }
}

async fn play(path: PathBuf) -> Result<Value, String> {
    let raw = read(&path)?;
    let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
    let case: Case = serde_json::from_str(&text).map_err(|error| format!("not known: {error}"))?;
    let world = World::default();
    let graph = match graphs::graph(&case.graph, &world) {
        Ok(graph) => graph,
        Err(error) => return Ok(canon::refused(&case, &error)),
    };
    if case.build_error {
        return Err("the graph must not build, and it does".into());
    }
    let mut player = Player {
        graph,
        canon: Canon::new(&raw, world.clone()),
        world,
        threads: Threads::new(case.checkpointer),
        state_subgraphs: case.state_subgraphs,
        limit: if matches!(case.graph, GraphForm::Agent(_)) { 9999 } else { 25 },
        made: 0,
    };
    let mut steps = Vec::new();
    for (place, call) in case.script.iter().enumerate() {
        let step = tokio::time::timeout(PATIENCE, player.call(call)).await;
        steps.push(step.map_err(|_| format!("call {place} hangs"))?);
    }
    Ok(player.canon.number(&json!({"id": case.id, "steps": steps})))
}

fn cases(folder: &Path) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder.join("cases")).expect("the folder has cases");
    let mut paths: Vec<_> = files.map(|file| file.expect("it can be read").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|kind| kind == "json"));
    paths.sort();
    paths
}

fn folder(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

fn read(path: &Path) -> Result<Value, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_slice(&bytes).map_err(|error| format!("{}: {error}", path.display()))
}

fn write(out: &Path, id: &str, document: &Value) {
    std::fs::create_dir_all(out).expect("the folder can be made");
    let text = serde_json::to_string_pretty(document).expect("a document is plain JSON");
    std::fs::write(out.join(format!("{id}.json")), text + "\n").expect("the file can be written");
}
