//! `countersign stop` and `countersign start`.

use std::path::Path;
use std::process::ExitCode;

use clap::Args;

use super::database::{Database, workspace_of};
use super::out::say;
use super::signed::Signed;

#[derive(Debug, Args)]
pub(super) struct Turn {
    #[command(flatten)]
    signed: Signed,

    #[command(flatten)]
    database: Database,
}

pub(super) async fn stop(turn: Turn, config: &Path) -> anyhow::Result<ExitCode> {
    let store = turn.database.to_write(config).await?;
    let workspace = workspace_of(&store).await?;
    store.stop(&workspace, &turn.signed.by, &turn.signed.reason).await?;
    say("Stopped: from now on nothing starts. `countersign start` lets actions start again.")?;
    let under_way = store.executions_under_way(&workspace).await?;
    for execution in &under_way {
        let since = execution.started_at.map(|at| at.to_string()).unwrap_or_default();
        say(format_args!("  already under way since {since}: {}", execution.id))?;
    }
    store.close().await;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn start(turn: Turn, config: &Path) -> anyhow::Result<ExitCode> {
    let store = turn.database.to_write(config).await?;
    let workspace = workspace_of(&store).await?;
    store.start(&workspace, &turn.signed.by, &turn.signed.reason).await?;
    say("Going again: approved actions start. Those refused meanwhile stay refused.")?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
