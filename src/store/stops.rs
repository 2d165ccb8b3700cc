//! The requester stops what is done for them in a conversation.

use serde_json::json;

use super::executions::{self, Row};
use super::requests;
use super::runs::{self, Held};
use super::settle;
use super::transition::transition;
use super::{NewNotice, Store, StoreError, Tx, intake, notices};
use crate::approval::{Event, ExecutionState, PersonFacts};
use crate::audit::{self, Entry};
use crate::base::{RequestId, RunId, ThreadId, WorkspaceId};
use crate::stream::ErrorCode;

/// A verified press of Slack's own stop button.
#[derive(Clone, Debug)]
pub struct Stop {
    pub workspace: WorkspaceId,
    /// Names the delivery: `event:<event_id>`.
    pub event_key: String,
    pub channel: String,
    pub thread_ts: String,
    /// As the directory says now.
    pub person: PersonFacts,
    /// What the thread is told, when nothing runs any more and when an action still does.
    pub told: String,
    pub told_while_running: String,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stopped {
    /// So many runs were ended.
    Runs(usize),
    /// Something is being done, but for somebody else.
    NotTheirs,
    /// Nothing was being done, or the same delivery had come before.
    Nothing,
}

impl Store {
    /// Ends every unfinished run that this person has asked for in the conversation: requests are
    /// withdrawn, actions that have not begun never begin, and the thread is told.
    pub async fn stop_runs(&self, stop: Stop) -> Result<Stopped, StoreError> {
        self.write(move |tx| Box::pin(async move { stop_runs(tx, &stop).await })).await
    }
}

async fn stop_runs(tx: &mut Tx, stop: &Stop) -> Result<Stopped, StoreError> {
    if intake::seen(tx, &stop.workspace, &stop.event_key).await?.is_some() {
        return Ok(Stopped::Nothing);
    }
    let unfinished: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT runs.id, thread_id, input FROM runs JOIN threads ON threads.id = thread_id
         WHERE runs.state IN ('queued', 'running', 'waiting')
           AND threads.workspace = $1 AND channel = $2 AND thread_ts = $3
         ORDER BY runs.created_at, runs.id",
    )
    .bind(stop.workspace.as_str())
    .bind(&stop.channel)
    .bind(&stop.thread_ts)
    .fetch_all(&mut tx.conn)
    .await?;
    let content = intake::content_hash(&(&stop.channel, &stop.thread_ts, &stop.person.user))?;
    let mut ended = 0;
    for (run, thread, input) in &unfinished {
        let input: super::RunInput = super::rows::from_json("run input", input)?;
        if input.user.user != stop.person.user.user {
            continue;
        }
        let held = Held {
            id: RunId::existing(run),
            workspace: stop.workspace.clone(),
            thread: ThreadId::existing(thread),
        };
        end(tx, stop, &held).await?;
        ended += 1;
    }
    let stopped = match (ended, unfinished.is_empty()) {
        (0, true) => Stopped::Nothing,
        (0, false) => Stopped::NotTheirs,
        (ended, _) => Stopped::Runs(ended),
    };
    let verdict = json!({ "stopped": ended }).to_string();
    intake::remember(tx, &stop.workspace, &stop.event_key, &content, &verdict).await?;
    Ok(stopped)
}

async fn end(tx: &mut Tx, stop: &Stop, run: &Held) -> Result<(), StoreError> {
    let pending: Vec<String> =
        sqlx::query_scalar("SELECT id FROM requests WHERE run_id = $1 AND outcome IS NULL")
            .bind(run.id.as_str())
            .fetch_all(&mut tx.conn)
            .await?;
    for request in pending {
        let loaded = requests::load(&mut tx.conn, &RequestId::existing(request)).await?;
        let loaded = loaded.ok_or(StoreError::NotFound("request"))?;
        let event = Event::Withdraw { by: stop.person.clone() };
        let evidence = json!({ "delivery": stop.event_key, "stopped": run.id });
        if let Err(refusal) = transition(tx, &loaded, &event, evidence).await? {
            tracing::warn!(request = %loaded.request.id, %refusal, "could not be withdrawn");
        }
    }
    let running = forgo_executions(tx, run).await?;
    // Whoever works on the run now is fenced off, and so is every answer that still comes.
    sqlx::query("UPDATE runs SET epoch = epoch + 1 WHERE id = $1")
        .bind(run.id.as_str())
        .execute(&mut tx.conn)
        .await?;
    let entry = Entry {
        workspace: &stop.workspace,
        kind: "run.stopped",
        subject: run.id.as_str(),
        body: json!({ "by": stop.person, "delivery": stop.event_key }),
    };
    audit::append(tx, entry).await?;
    runs::end(tx, run, Err((ErrorCode::Stopped, "its requester stopped it"))).await?;
    let text = if running { &stop.told_while_running } else { &stop.told };
    let notice = NewNotice {
        workspace: stop.workspace.clone(),
        request: None,
        run: Some(run.id.clone()),
        kind: "reply".to_owned(),
        body: json!({ "text": text }),
    };
    notices::owe(tx, &notice).await?;
    Ok(())
}

/// What was ordered and has not begun never begins. Says whether something has.
async fn forgo_executions(tx: &mut Tx, run: &Held) -> Result<bool, StoreError> {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM executions WHERE run_id = $1 AND state IN ('ordered', 'claimed', 'started')",
    )
    .bind(run.id.as_str())
    .fetch_all(&mut tx.conn)
    .await?;
    let mut running = false;
    for execution in open {
        let row: Row = executions::row(tx, &execution).await?;
        if row.begun()?.is_some() {
            running = true;
        } else {
            let why = "its requester stopped the run before it began";
            settle::end(tx, &row, ExecutionState::Refused, why).await?;
        }
    }
    Ok(running)
}
