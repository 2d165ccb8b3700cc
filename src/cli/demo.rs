//! `countersign demo`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;

use crate::base::TurnableClock;
use crate::demo::{Setting, World, stories};
use crate::sandbox::Pace;

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Play the stories without a browser and exit 1 when a promise is broken.
    #[arg(long)]
    auto: bool,

    /// The port of the page.
    #[arg(long, default_value_t = 4040, conflicts_with = "auto")]
    port: u16,

    /// Keep the demo's files here, to look into them; a new temporary folder otherwise.
    #[arg(long)]
    folder: Option<PathBuf>,
}

pub(super) async fn run(demo: Demo) -> anyhow::Result<ExitCode> {
    if demo.auto {
        return stories::play_all().await;
    }
    let folder = match demo.folder {
        Some(folder) => folder,
        None => stories::new_folder("demo")?,
    };
    std::fs::create_dir_all(&folder)
        .with_context(|| format!("cannot make {}", folder.display()))?;
    let world = World::found(Setting {
        folder: &folder,
        clock: Arc::new(TurnableClock::running()),
        pace: Pace::LikeSlack,
        port: demo.port,
        edits: &[],
    })
    .await?;
    let invitation = invitation(&world.slack.url(), &folder.display().to_string());
    // Only once the desk serves: what is written to it earlier would wait for Slack's next try.
    let end = async {
        println!("{invitation}");
        tokio::signal::ctrl_c().await
    };
    world.run_until(end).await?;
    println!("The desk is closed. What happened is in {}", folder.display());
    Ok(ExitCode::SUCCESS)
}

fn invitation(page: &str, folder: &str) -> String {
    format!(
        "
  The desk is open:  {page}

  Slack is a stand-in, the model is a script, the effects are real rows in
  {folder}/company.db

  1. You are Mia. Write to Countersign:
       refund ch_1042 640.00 EUR, customer was charged twice
  2. Become Jonas and open #approvals. Approve, or reject with a reason.
  3. Ask for another one, and let nobody answer: press \"Next timer\" until the
     managers are asked. Become Priya and approve.
  4. Ask as Mia, press Approve as Mia: she is told why she may not.

  Then, in another terminal:
       countersign verify --database sqlite://{folder}/countersign.db

  Ctrl-C closes the desk.
"
    )
}
