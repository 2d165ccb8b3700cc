//! `countersign requests`.

mod allowed;
mod settle;

use std::path::Path;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::database::{Database, workspace_of};
use super::out::say;
use super::signed::Signed;
use super::words;
use crate::approval::{Kept, Refusal};
use crate::audit;
use crate::base::{Clock, ExecutionId, RequestId, SystemClock};
use crate::desk::card_view;
use crate::slack::card;
use crate::slack::texts;
use crate::store::{ActionRun, CardButtons, Store, StoreError, StoredRequest};

/// How many requests are read at a time.
const PAGE: usize = 100;

#[derive(Debug, Subcommand)]
pub(super) enum Requests {
    /// What waits for a decision, and what ended so that somebody must look, oldest first.
    List(List),
    /// One request, or one action that a rule allowed: how it stands, and what the audit log says of it.
    Show(Show),
    /// End a pending request: nothing will run, and the requester is told why.
    Cancel(Cancel),
    /// Say what became of an action whose outcome is unknown: its cards and its requester are told.
    Settle(settle::Settle),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// The ended ones too, newest first.
    #[arg(long)]
    all: bool,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// The request, req_…, or the execution, exe_…, as cards and `requests list` show them.
    #[arg(value_name = "ID")]
    which: String,

    #[command(flatten)]
    database: Database,
}

#[derive(Debug, Args)]
pub(super) struct Cancel {
    /// The request's id: req_…, as cards and `requests list` show it.
    #[arg(value_name = "ID")]
    request: String,

    #[command(flatten)]
    signed: Signed,

    #[command(flatten)]
    database: Database,
}

pub(super) async fn run(requests: Requests, config: &Path) -> anyhow::Result<ExitCode> {
    match requests {
        Requests::List(list) => {
            let store = list.database.to_read(config).await?;
            self::list(&store, list.all).await
        }
        Requests::Show(show) => {
            let store = show.database.to_read(config).await?;
            self::show(&store, show.which).await
        }
        Requests::Cancel(order) => cancel(order, config).await,
        Requests::Settle(order) => settle::run(order, config).await,
    }
}

async fn list(store: &Store, ended_too: bool) -> anyhow::Result<ExitCode> {
    let workspace = workspace_of(store).await?;
    let mut after = None;
    let mut listed = 0;
    loop {
        let page = match ended_too {
            true => store.all_requests(&workspace, after.as_ref(), PAGE).await?,
            false => store.pending_requests(&workspace, after.as_ref(), PAGE).await?,
        };
        for stored in &page.requests {
            say(line(store, stored).await?)?;
            listed += 1;
        }
        for damaged in &page.damaged {
            say(words::damaged(damaged))?;
            listed += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    listed += settle::list(store, &workspace).await?;
    if listed == 0 {
        say(if ended_too { "Nothing was ever asked." } else { "Nothing is waiting." })?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn line(store: &Store, stored: &StoredRequest) -> Result<String, StoreError> {
    let request = &stored.request;
    let tool = stored.kept.tool();
    let state = match (&request.decision, &stored.execution) {
        (None, _) => format!("waits at stage {} until {}", request.stage + 1, request.decide_by()),
        (Some(decision), None) => format!("{} {}", words::outcome(decision.outcome), decision.at),
        (Some(decision), Some(execution)) => {
            let outcome = words::outcome(decision.outcome);
            match &execution.settled {
                Some(settled) => format!("{outcome}, {}", words::finding(settled.finding)),
                None => format!("{outcome}, {}", words::execution_state(execution.state)),
            }
        }
    };
    let (id, asked_at, requester) = (&request.id, request.asked_at, &request.requester);
    // A name that is no longer kept leaves whose it was.
    let who = if requester.name.is_empty() { requester.person.as_str() } else { &requester.name };
    let line = format!("{id}  {asked_at}  {tool}  by {who}  {state}");
    Ok(match store.unseen(&request.workspace, id).await? {
        Some(unseen) => format!("{line}  {}", words::unseen(&unseen)),
        None => line,
    })
}

/// An execution is shown by its request, if it has one.
async fn show(store: &Store, which: String) -> anyhow::Result<ExitCode> {
    let workspace = workspace_of(store).await?;
    let execution = ExecutionId::existing(which.as_str());
    let request = match store.execution(&workspace, &execution).await? {
        None => RequestId::existing(which),
        Some(ActionRun { request: Some(request), .. }) => request,
        Some(action) => return allowed::show(store, &action).await,
    };
    let Some(stored) = store.request(&workspace, &request).await? else {
        return Err(no_such(&request));
    };
    let buttons = CardButtons::default();
    say(format_args!("{}\n", line(store, &stored).await?))?;
    if let Some(view) = card_view(&stored, &buttons, &[], SystemClock.now()) {
        say(format_args!("{}\n", card::as_text(&card::stage_card(&view, stored.request.stage))))?;
    }
    match &stored.kept {
        Kept::Whole(sealed) => {
            say(format_args!("digest {}\n{}\n", sealed.digest(), sealed.bytes()))?;
        }
        Kept::Reduced { digest, at, .. } => {
            say(format_args!("What was asked was reduced at {at}. Its digest was\n{digest}\n"))?;
        }
    }
    tell_story(store, request.as_str()).await
}

/// What the audit log says.
async fn tell_story(store: &Store, subject: &str) -> anyhow::Result<ExitCode> {
    for record in audit::story(store, subject).await? {
        say(format_args!("{:>6}  {}  {}", record.seq, record.at, record.kind))?;
    }
    Ok(ExitCode::SUCCESS)
}

fn no_such(request: &RequestId) -> anyhow::Error {
    anyhow::anyhow!("there is no request {request}; `countersign requests list --all` shows all")
}

async fn cancel(order: Cancel, config: &Path) -> anyhow::Result<ExitCode> {
    let store = order.database.to_write(config).await?;
    let workspace = workspace_of(&store).await?;
    let request = RequestId::existing(order.request);
    let cancelled =
        store.cancel(&workspace, &request, &order.signed.by, &order.signed.reason).await;
    store.close().await;
    let cancelled = match cancelled {
        Err(StoreError::NotFound(_)) => return Err(no_such(&request)),
        answered => answered?,
    };
    match cancelled {
        Ok(_) => {
            say(format_args!("Cancelled {request}: nothing will run, and its requester is told."))?;
            Ok(ExitCode::SUCCESS)
        }
        Err(Refusal::AlreadyDecided { decision }) => {
            let outcome = words::outcome(decision.outcome);
            eprintln!("{request} was already {outcome} at {}; nothing has changed.", decision.at);
            Ok(ExitCode::FAILURE)
        }
        Err(refusal) => {
            eprintln!("{}", texts::refusal(&refusal, SystemClock.now()));
            Ok(ExitCode::FAILURE)
        }
    }
}
