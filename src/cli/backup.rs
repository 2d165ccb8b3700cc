//! `countersign backup` and `countersign restore`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::database::{Database, workspace_of};
use super::out::say;
use super::words;
use crate::audit::{self, Anchor};
use crate::base::{RandomIds, SystemClock};
use crate::slack::texts;
use crate::store::{Restoration, Store, Voided};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where the copy goes. A file that exists is never overwritten.
    #[arg(value_name = "FILE")]
    to: PathBuf,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub(super) struct Restore {
    /// A file that `backup` made.
    #[arg(value_name = "FILE", required_unless_present = "in_place")]
    from: Option<PathBuf>,

    /// The backup is in its place already, put there by the server's own means (Postgres).
    #[arg(long, conflicts_with = "from")]
    in_place: bool,

    /// Why: people are told, and the audit log keeps it.
    #[arg(long, value_parser = words::reason)]
    reason: String,

    /// Who does it, for the people who are told and for the audit log.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    by: String,

    /// An anchor that was kept elsewhere: the backup must go on from it.
    #[arg(long, value_name = "WORKSPACE:NUMBER:HASH")]
    anchor: Vec<Anchor>,

    #[command(flatten)]
    database: Database,
}

pub(super) async fn backup(order: Backup, config: &Path) -> anyhow::Result<ExitCode> {
    order.database.file(config)?;
    let store = order.database.to_read(config).await?;
    refuse_to_overwrite(&order.to)?;
    let unfinished = beside(&order.to, ".unfinished");
    clear(&unfinished);
    store
        .copy_to(&unfinished)
        .await
        .with_context(|| format!("cannot write {}", order.to.display()))?;
    store.close().await;
    let ends = checked(&unfinished, &[]).await?;
    put_in_place(&unfinished, &order.to)?;
    say(format_args!(
        "Backed up to {}, and checked. Anchors to keep elsewhere:",
        order.to.display()
    ))?;
    for end in ends {
        say(end)?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn restore(order: Restore, config: &Path) -> anyhow::Result<ExitCode> {
    let voided = match &order.from {
        Some(from) => restore_file(from, &order, config).await?,
        None => {
            let store = order.database.to_write(config).await?;
            void(store, &order).await?
        }
    };
    say("Restored. Of what the backup shows as open:")?;
    for line in told(voided) {
        say(format_args!("  {line}"))?;
    }
    say(
        "People are told when the desk starts. What was decided after the backup is not known here: \
         look at the cards in Slack and at the tools' own records.",
    )?;
    Ok(ExitCode::SUCCESS)
}

/// What was open is ended in a file that is not yet in its place: no desk can start on it before.
async fn restore_file(from: &Path, order: &Restore, config: &Path) -> anyhow::Result<Voided> {
    let target = order.database.file(config)?;
    refuse_to_overwrite(&target)?;
    checked(from, &order.anchor).await?;
    let unfinished = beside(&target, ".unfinished");
    clear(&unfinished);
    std::fs::copy(from, &unfinished)
        .with_context(|| format!("cannot write {}", unfinished.display()))?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let store = Store::open(&url_of(&unfinished), clock, ids).await?;
    let voided = void(store, order).await?;
    checked(&unfinished, &order.anchor).await?;
    put_in_place(&unfinished, &target)?;
    Ok(voided)
}

fn told(voided: Voided) -> [String; 4] {
    let Voided { requests, actions, unknown, runs } = voided;
    [
        format!("{} cancelled", words::counted(requests, "pending request")),
        format!("{} will not start", words::counted(actions, "approved action")),
        format!("{} under way: outcome unknown", words::counted(unknown, "action")),
        format!("{} of agents ended", words::counted(runs, "run")),
    ]
}

async fn void(store: Store, order: &Restore) -> anyhow::Result<Voided> {
    let workspace = workspace_of(&store).await?;
    let restoration = Restoration {
        by: order.by.clone(),
        reason: order.reason.clone(),
        told: texts::restored(&order.reason),
    };
    let voided = store.void_what_was_open(&workspace, restoration).await;
    store.close().await;
    Ok(voided?)
}

/// A database that can be relied on, and where its log ends.
async fn checked(file: &Path, anchors: &[Anchor]) -> anyhow::Result<Vec<Anchor>> {
    let url = url_of(file);
    let store = Store::open_to_read(&url)
        .await
        .with_context(|| format!("{} cannot be read", file.display()))?;
    let findings = async {
        store.check_every_page().await?;
        audit::verify(&store, anchors).await
    };
    let findings = findings.await;
    store.close().await;
    let findings = findings.with_context(|| format!("{} is not used", file.display()))?;
    for violation in &findings.violations {
        eprintln!("{violation}");
    }
    if !findings.violations.is_empty() {
        let count = words::counted(findings.violations.len(), "violation");
        bail!("{count} in {}: it is not used", file.display());
    }
    Ok(findings.ends)
}

fn refuse_to_overwrite(file: &Path) -> anyhow::Result<()> {
    // A log that stayed behind would be played into whatever file gets its name.
    for there in [file.to_path_buf(), beside(file, "-wal")] {
        if there.exists() {
            let there = there.display();
            bail!("{there} exists; move it away first, it may hold what the other does not");
        }
    }
    Ok(())
}

/// Gives a finished file its name. After a crash there is the whole file under it, or none.
fn put_in_place(unfinished: &Path, file: &Path) -> anyhow::Result<()> {
    let log = beside(unfinished, "-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        bail!("{} did not close cleanly; try again", unfinished.display());
    }
    File::open(unfinished)?.sync_all()?;
    std::fs::rename(unfinished, file)?;
    clear(unfinished);
    if let Some(folder) = file.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Removes what an interrupted command left under an unfinished name: it is of no use.
fn clear(unfinished: &Path) {
    for ending in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(beside(unfinished, ending));
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

fn url_of(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}
