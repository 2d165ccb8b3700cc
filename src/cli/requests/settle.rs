//! `countersign requests settle`: a human says what became of an action.

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, ValueEnum};

use crate::approval::Finding;
use crate::base::WorkspaceId;
use crate::cli::database::{Database, workspace_of};
use crate::cli::out::say;
use crate::cli::signed::SignedByName;
use crate::cli::words;
use crate::slack::texts;
use crate::store::{ActionRun, NotUnsettled, Store, StoreError};

/// How many are listed: so many mean trouble of another kind.
const LISTED: usize = 1_000;

#[derive(Debug, Args)]
pub(in crate::cli) struct Settle {
    /// The request, req_…, or the execution, exe_…, as `requests list` shows them.
    #[arg(value_name = "ID")]
    which: String,

    /// What you saw on the other side.
    #[arg(value_name = "FINDING")]
    finding: Seen,

    #[command(flatten)]
    signed: SignedByName,

    #[command(flatten)]
    database: Database,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Seen {
    /// The action took effect.
    Happened,
    /// It took no effect, and can be asked for again.
    DidNotHappen,
    /// Nobody can find out any more.
    WrittenOff,
}

pub(super) async fn run(order: Settle, config: &Path) -> anyhow::Result<ExitCode> {
    let store = order.database.to_write(config).await?;
    let workspace = workspace_of(&store).await?;
    let finding = match order.finding {
        Seen::Happened => Finding::Happened,
        Seen::DidNotHappen => Finding::DidNotHappen,
        Seen::WrittenOff => Finding::WrittenOff,
    };
    let SignedByName { reason, by } = &order.signed;
    let settled = store.settle_unknown(&workspace, &order.which, finding, by, reason).await;
    store.close().await;
    let which = &order.which;
    match settled {
        Ok(Ok(())) => {
            say(format_args!("Settled {which}: {}. Nothing was run.", words::finding(finding)))?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Err(NotUnsettled::Before(before))) => {
            eprintln!(
                "{} settled {which} at {}: {}; nothing has changed.",
                before.by,
                before.at,
                words::finding(before.finding)
            );
            Ok(ExitCode::FAILURE)
        }
        Ok(Err(NotUnsettled::Known(state))) => {
            eprintln!(
                "What became of {which} is known: {}; nothing has changed.",
                words::execution_state(state)
            );
            Ok(ExitCode::FAILURE)
        }
        Err(StoreError::NotFound(_)) => Err(anyhow::anyhow!(
            "nothing has run for {which}; `countersign requests list` shows what can be settled"
        )),
        Err(error) => Err(error.into()),
    }
}

/// Lists what somebody must look at, with what there is to look for. Says how many there are.
pub(super) async fn list(store: &Store, workspace: &WorkspaceId) -> anyhow::Result<u64> {
    let mut listed = 0;
    for action in store.unsettled(workspace, LISTED).await? {
        say(line(&action))?;
        listed += 1;
    }
    let all = store.unknown_executions(workspace).await?;
    if let Some(rest) = all.checked_sub(listed).filter(|rest| *rest > 0) {
        say(words::not_listed(rest))?;
    }
    Ok(all)
}

/// What somebody must look at, and what there is to look for.
pub(super) fn line(action: &ActionRun) -> String {
    let ActionRun { execution, request, tool, key, .. } = action;
    let which = request.as_ref().map_or_else(|| execution.id.to_string(), ToString::to_string);
    let known = execution.note.as_deref().unwrap_or("nothing");
    let late = execution.late.as_ref().map_or_else(String::new, |late| {
        format!(" {}: {}.", texts::late_end(late.state), late.note)
    });
    let begun = match execution.started_at {
        Some(at) => {
            format!("begun {}, first at {at}", words::counted(execution.attempts, "time"))
        }
        None => "not begun as far as is known here".to_owned(),
    };
    format!(
        "{which}  {tool}  OUTCOME UNKNOWN: {begun}, with the key {key}. What is known: {known}.{late} Look \
         on the other side, then `countersign requests settle {which} happened`, `did-not-happen` or \
         `written-off`."
    )
}
