//! `countersign erase`.

use std::path::Path;
use std::process::ExitCode;

use anyhow::ensure;
use clap::Args;

use super::database::{Database, workspace_of};
use super::out::say;
use super::{two_people, words};
use crate::audit;
use crate::base::{Ids, PersonId, RandomIds};
use crate::store::{Erased, Erasure, Open, Traces};

/// Whoever is to say yes to it must know that others lose something too.
const WHAT_GOES: &str = "\
Their name, accounts and reasons go everywhere, and so do the words of what they asked for. The conversations
are forgotten whole, with what others said in them. There is no way back.";

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
    two_people::are_two(by, with)?;
    let store = match with {
        Some(_) => order.database.to_write(config).await?,
        None => order.database.to_read(config).await?,
    };
    let workspace = workspace_of(&store).await?;
    let traces = store.traces_of(&workspace, &order.person).await?;
    ensure!(!traces.is_empty(), "nothing is known of {} in this database", order.person);
    two_people::are_others(by, with, &order.person, &traces)?;
    say(found(&order.person, &traces))?;
    if !traces.open.is_empty() {
        return Ok(still_open(&traces.open, "Nothing was erased: what is open has to end first."));
    }
    let Some(with) = with else {
        say(WHAT_GOES)?;
        say("Nothing was erased yet. To do it, add `--with <name of a second person> --yes`.")?;
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
    let erasing = store.begin_erasure(&workspace, traces, erasure, pseudonym).await?;
    let Erased { pseudonym, open } = erasing.finish().await?;
    store.close().await;
    if !open.is_empty() {
        let left = "Not all of it was erased: this came up meanwhile and has to end first. Then give \
                    the command again, and it goes on.";
        return Ok(still_open(&open, left));
    }
    say(format_args!("Erased. {pseudonym} stands for them from now on."))?;
    say("Slack, backups, exports and the logs of the process still have what they have.")?;
    Ok(ExitCode::SUCCESS)
}

/// What there is of somebody, so that whoever says yes to it sees who and what goes along.
fn found(person: &str, traces: &Traces) -> String {
    let others = match traces.records.len() {
        0 => String::new(),
        1 => " 1 other record of the log names them.".to_owned(),
        more => format!(" {more} other records of the log name them."),
    };
    let begun = match &traces.begun {
        Some(pseudonym) => format!(
            "\nAn erasure of them was begun and is not over. It goes on, with {pseudonym} for them."
        ),
        None => String::new(),
    };
    let who = &traces.who;
    let ids = [&who.accounts, &who.persons, &traces.requests, &traces.threads];
    let along = ids.into_iter().flatten().map(|id| format!("\n  {id}"));
    format!(
        "{person} had a part in {} and {}.{others} What goes, by every id that the log has of them:{}{begun}",
        words::counted(traces.requests.len(), "request"),
        words::counted(traces.threads.len(), "conversation"),
        along.collect::<String>(),
    )
}

/// Says what is open, and what comes of that.
fn still_open(open: &[Open], so: &str) -> ExitCode {
    for open in open {
        eprintln!("{}", mend(open));
    }
    eprintln!("\n{so}");
    ExitCode::FAILURE
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
