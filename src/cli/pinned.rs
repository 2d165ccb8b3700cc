//! What `countersign doctor` says about runs that began on another definition of their agent: which
//! they are, what becomes of them, and how to have them go on.

use std::sync::Arc;

use crate::base::Clock;
use crate::config::Config;
use crate::desk;
use crate::slack::doctor::{Finding, Level};
use crate::store::{Definitions, PARKED, PinnedRun, Place, RunState, Store, StoreError};

/// How many are listed by name.
const LISTED: usize = 20;

pub(super) async fn findings(config: &Config, clock: &Arc<dyn Clock>) -> Vec<Finding> {
    // A file that nobody has served from yet has no runs.
    if matches!(Place::of(config.store.as_str()), Ok(Place::Sqlite(file)) if !file.exists()) {
        return Vec::new();
    }
    // A configuration that does not start, and a store that cannot be read, are told elsewhere.
    let Ok(known) = desk::definitions(config, clock) else { return Vec::new() };
    let Ok(store) = Store::open_to_read(config.store.as_str()).await else { return Vec::new() };
    let found = others(&store, &known).await;
    store.close().await;
    match found {
        Ok(runs) => of(&runs).into_iter().collect(),
        Err(error) => {
            vec![Finding { level: Level::Fail, what: error.to_string(), mend: String::new() }]
        }
    }
}

async fn others(store: &Store, known: &Definitions) -> Result<Vec<PinnedRun>, StoreError> {
    match store.workspace().await? {
        Some(workspace) => store.pinned_to_others(&workspace, known, LISTED + 1).await,
        None => Ok(Vec::new()),
    }
}

fn of(runs: &[PinnedRun]) -> Option<Finding> {
    if runs.is_empty() {
        return None;
    }
    let many = if runs.len() > LISTED { "more than " } else { "" };
    let mut lines = vec![format!(
        "runs that began on another definition of their agent than this configuration has: \
         {many}{}",
        runs.len().min(LISTED)
    )];
    lines.extend(runs.iter().take(LISTED).map(line));
    let mend = format!(
        "they go on where that definition is: keep a process with the old version and configuration \
         until they have ended, or put it back; otherwise each ends when a process without it has \
         parked it for {} minutes, once it could go on, and whoever asked is told",
        PARKED.as_millis() / 60_000
    );
    Some(Finding { level: Level::Warn, what: lines.join("\n      "), mend })
}

fn line(run: &PinnedRun) -> String {
    let who = run.requester.as_ref().map_or("somebody", |requester| requester.name.as_str());
    let state = match run.state {
        RunState::Queued => "could go on".to_owned(),
        RunState::Parked { until } => format!("could go on, is parked until {until}"),
        RunState::Behind => "waits for an earlier one of its conversation".to_owned(),
        RunState::Running => "is under way".to_owned(),
        RunState::Waiting => "waits for a decision".to_owned(),
    };
    format!("{}  {}  `{}`  for {who}  {state}", run.id, run.began_at, run.agent)
}
