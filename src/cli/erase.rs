//! `countersign erase`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Args;

use super::database::{Database, workspace_of};
use super::out::say;
use super::words;
use crate::audit;
use crate::base::{Ids, PersonId, RandomIds};
use crate::store::{Erasure, Open, Traces};

#[derive(Debug, Args)]
pub(super) struct Erase {
    /// Their Slack account, U… or W…, or their id here, per_…, as exports and `requests list` have it.
    #[arg(value_name = "PERSON")]
    person: String,

    /// Why. The audit log keeps it, so leave their name out.
    #[arg(long, value_parser = words::reason)]
    reason: String,

    /// Who stands for it; the audit log keeps the name.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "operator")]
    by: String,

    /// The second person who stands for it; the audit log keeps both names.
    #[arg(long, value_name = "NAME", requires = "yes")]
    with: Option<String>,

    /// Do it. Without this it is only shown what would go.
    #[arg(long, requires = "with")]
    yes: bool,

    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(order: Erase, config: &Path) -> anyhow::Result<ExitCode> {
    let by = order.by.trim();
    let with = order.with.as_deref().map(str::trim);
    ensure!(
        with.is_none_or(|with| !with.is_empty() && !with.eq_ignore_ascii_case(by)),
        "an erasure needs two people: --with names somebody else than --by"
    );
    let store = match with {
        Some(_) => order.database.to_write(config).await?,
        None => order.database.to_read(config).await?,
    };
    let workspace = workspace_of(&store).await?;
    let traces = store.traces_of(&workspace, &order.person).await?;
    ensure!(!traces.is_empty(), "nothing is known of {} in this database", order.person);
    say(found(&order.person, &traces))?;
    if !traces.open.is_empty() {
        for open in &traces.open {
            eprintln!("{}", mend(open));
        }
        eprintln!("\nNothing was erased: what is open has to end first.");
        return Ok(ExitCode::FAILURE);
    }
    let Some(with) = with else {
        say("Nothing was erased. To do it, a second person adds `--with <their name> --yes`.")?;
        return Ok(ExitCode::SUCCESS);
    };
    let damaged = audit::verify(&store, &[]).await?.violations.len();
    if damaged > 0 {
        eprintln!(
            "`verify` finds {}: keep this database as it is.",
            words::counted(damaged, "violation")
        );
        return Ok(ExitCode::FAILURE);
    }
    let pseudonym = PersonId::existing(format!("per_erased_{}", RandomIds.unique()));
    let (by, with, reason) = (by.to_owned(), with.to_owned(), order.reason);
    let erasure = Erasure { by, with, reason };
    store.erase(&workspace, traces, erasure, pseudonym.clone()).await?;
    store.close().await;
    say(format_args!("Erased. {pseudonym} stands for them from now on."))?;
    say("Slack, backups, exports and the logs of the process still have what they have.")?;
    Ok(ExitCode::SUCCESS)
}

fn found(person: &str, traces: &Traces) -> String {
    format!(
        "{person} had a part in {} and {}. Other records of the log that name them: {}.",
        words::counted(traces.requests.len(), "request"),
        words::counted(traces.threads.len(), "conversation"),
        traces.records.len(),
    )
}

/// What is open, and what to do about it.
fn mend(open: &Open) -> String {
    match open {
        Open::Request(id) => {
            format!("{id} waits for a decision: wait, or `countersign requests cancel {id}`")
        }
        Open::Execution(id) => format!(
            "{id} has no known end: wait, or find out and `countersign requests settle {id} …`"
        ),
        Open::Run(id) => {
            format!("{id} goes on: wait until its agent has answered, or stop it in its thread")
        }
        Open::Delivery(id) => format!("{id} has something owed to Slack: let the desk deliver it"),
    }
}
