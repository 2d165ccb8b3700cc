//! `countersign backup` and `countersign restore`.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;

use super::database::Database;
use super::out::say;
use super::signed::Signed;
use super::words;
use crate::audit::{self, Anchor};
use crate::base::failpoint::{self, Point};
use crate::base::{RandomIds, SystemClock, WorkspaceId};
use crate::slack::texts;
use crate::store::{FileLock, Restoration, Restored, Store, Voided};

#[derive(Debug, Args)]
pub(super) struct Backup {
    /// Where the copy goes. A file that exists is never overwritten.
    #[arg(value_name = "FILE")]
    to: PathBuf,

    /// Keep the copy also when the database is damaged: to look at what is left, not to restore.
    #[arg(long)]
    damaged: bool,

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

    #[command(flatten)]
    signed: Signed,

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
    let unfinished = Unfinished::beside(&order.to);
    let copied = store.copy_to(&unfinished.file).await;
    copied.with_context(|| format!("cannot write {}", order.to.display()))?;
    store.close().await;
    let copy = Store::open_to_read(&unfinished.url()).await?;
    let ends = sound(&copy, &[]).await;
    copy.close().await;
    let ends = match ends {
        Err(wrong) if order.damaged => {
            unfinished.put_in_place(&order.to)?;
            eprintln!("{} is kept, and it is damaged: {wrong}", order.to.display());
            return Ok(ExitCode::FAILURE);
        }
        ends => ends.with_context(|| {
            format!("{} is not kept; `backup --damaged` keeps it as it is", order.to.display())
        })?,
    };
    unfinished.put_in_place(&order.to)?;
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
    let restored = match &order.from {
        Some(from) => restore_file(from, &order, config).await?,
        None => void(order.database.to_restore(config).await?, &order).await.context(BROKE_OFF)?,
    };
    for line in told(&restored) {
        say(line)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What was open is ended in a file that is not yet in its place: no desk can start on it before.
async fn restore_file(from: &Path, order: &Restore, config: &Path) -> anyhow::Result<Restored> {
    let target = order.database.file(config)?;
    // A desk at work would go on in a file that has lost its name, and both would act.
    let _alone = FileLock::take(&target)?;
    refuse_to_overwrite(&target)?;
    refuse_a_torn_copy(from)?;
    let unfinished = Unfinished::beside(&target);
    std::fs::copy(from, &unfinished.file)
        .with_context(|| format!("cannot copy {} to its place", from.display()))?;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let restored = async {
        let store = Store::open_to_restore(&unfinished.url(), clock, ids).await?;
        void(store, order).await
    };
    let restored = restored.await.with_context(|| format!("{} is not used", from.display()))?;
    unfinished.put_in_place(&target)?;
    Ok(restored)
}

/// What is left of a restore of a database in its place goes on where it stopped.
const BROKE_OFF: &str =
    "nothing is lost; mend this, and give the command again before any desk starts";

fn told(restored: &Restored) -> [String; 7] {
    let Restored { to, voided, switch } = restored;
    let Voided { requests, actions, unknown, runs } = *voided;
    [
        format!("Restored to a backup of {to}. Of what it shows as open:"),
        format!("  {} cancelled", words::counted(requests, "pending request")),
        format!("  {} not started: outcome unknown", words::counted(actions, "approved action")),
        format!("  {} under way: outcome unknown", words::counted(unknown, "action")),
        format!("  {} of agents ended", words::counted(runs, "run")),
        "What was asked, decided and run after the backup is not known here, not even whether these ran: \
         look at the cards in Slack and at the tools' own records, and settle what `countersign requests \
         list` shows. People are told when the desk starts."
            .to_owned(),
        format!(
            "The desk stands stopped, by {}: {}. When you have looked, `countersign start` lets it go on.",
            switch.by, switch.reason
        ),
    ]
}

/// Ends what was open, in a database that can be relied on.
async fn void(store: Store, order: &Restore) -> anyhow::Result<Restored> {
    let voiding = async {
        sound(&store, &order.anchor).await?;
        let workspace = restored_workspace(&store).await?;
        let restoration = Restoration {
            by: order.signed.by.clone(),
            reason: order.signed.reason.clone(),
            told: texts::restored(&order.signed.reason),
        };
        let restored = store.void_what_was_open(&workspace, restoration).await?;
        sound(&store, &order.anchor).await?;
        Ok(restored)
    };
    let restored = voiding.await;
    store.close().await;
    restored
}

/// A backup is of a database that a desk has used.
async fn restored_workspace(store: &Store) -> anyhow::Result<WorkspaceId> {
    let nobodys = "no desk has used this database, so it is no backup of one";
    store.workspace().await?.context(nobodys)
}

/// Checks that a database can be relied on, and says where its log ends.
async fn sound(store: &Store, anchors: &[Anchor]) -> anyhow::Result<Vec<Anchor>> {
    store.check_every_page().await?;
    let findings = audit::verify(store, anchors).await?;
    for violation in &findings.violations {
        eprintln!("{violation}");
    }
    if !findings.violations.is_empty() {
        bail!("{}", words::counted(findings.violations.len(), "violation"));
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

/// Of a file that has a log beside it only a part is in the file.
fn refuse_a_torn_copy(from: &Path) -> anyhow::Result<()> {
    let log = beside(from, "-wal");
    if log.metadata().is_ok_and(|log| log.len() > 0) {
        bail!(
            "{} is no backup: {} beside it holds what was written last, as when a desk has it open or it was \
             copied from under one. Use a file that `countersign backup` made",
            from.display(),
            log.display()
        );
    }
    Ok(())
}

/// A database file that has not got its name yet. What is left of it when something goes wrong is
/// removed.
struct Unfinished {
    file: PathBuf,
}

impl Unfinished {
    fn beside(file: &Path) -> Self {
        let unfinished = Self { file: beside(file, ".unfinished") };
        // An interrupted command may have left one.
        unfinished.clear();
        unfinished
    }

    fn url(&self) -> String {
        format!("sqlite://{}", self.file.display())
    }

    /// Gives it its name. After a crash there is the whole file under it, or none.
    fn put_in_place(self, file: &Path) -> anyhow::Result<()> {
        if beside(&self.file, "-wal").metadata().is_ok_and(|log| log.len() > 0) {
            bail!("{} did not close cleanly; try again", self.file.display());
        }
        File::open(&self.file)?.sync_all()?;
        failpoint::reach(Point::CopyUnnamed);
        std::fs::rename(&self.file, file)?;
        if let Some(folder) = file.parent() {
            let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    fn clear(&self) {
        for ending in ["", "-wal", "-shm", ".lock", ".unchecked"] {
            // What is not there need not be removed.
            let _ = std::fs::remove_file(beside(&self.file, ending));
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        self.clear();
    }
}

fn beside(file: &Path, ending: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}
