//! After a restore: what a backup cannot know must not run.
//!
//! Between the backup and the restore the desk went on. What the backup shows as approved or
//! pending may have been decided and done since, so nothing of it starts any more, and nothing is
//! said of what ran: a named human looks, and settles what had been approved. The stop switch may have
//! been thrown since as well, so the desk stands stopped until somebody has looked.
//!
//! There may be more to end than a transaction has time for, so it is ended in batches. Each finds what
//! the ones before it left, and the last one writes that the desk is restored.

mod begun;

use serde::{Deserialize, Serialize};
use serde_json::json;

use self::begun::Begun;
pub(super) use self::begun::is_any;
use super::executions::{self, state_text};
use super::notices::{self, NewNotice};
use super::open::Kind;
use super::rows::big;
use super::runs::{self, Held};
use super::switch::{self, Switch, SwitchPosition};
use super::transition::transition;
use super::{Store, StoreError, Tx, requests, settle, sqlite};
use crate::approval::{Event, ExecutionState};
use crate::audit::{self, Entry};
use crate::base::{RequestId, RunId, ThreadId, Timestamp, WorkspaceId};
use crate::stream::ErrorCode;

/// How much one transaction ends. A request takes some twenty statements, and a server that is a few
/// milliseconds away must still have done them all while the turn to write lasts.
const BATCH: usize = 50;

/// How much was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voided {
    /// Requests that were pending.
    pub requests: usize,
    /// Approved actions that had not started in the backup: whether they did since nobody knows.
    pub actions: usize,
    /// Actions under way: nobody knows what became of them.
    pub unknown: usize,
    /// Runs that were not over.
    pub runs: usize,
}

/// What people are told, and who stands for it.
#[derive(Clone, Debug)]
pub struct Restoration {
    pub by: String,
    pub reason: String,
    /// To whoever waits for an answer of an agent.
    pub told: String,
}

/// What a restore came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// Where the log of the backup ends: nothing is known of what happened after that.
    pub to: Timestamp,
    pub voided: Voided,
    /// Why the desk stands stopped: for the restore, or since before the backup.
    pub switch: Switch,
}

impl Store {
    /// Ends everything that was not over when this database was backed up, and stops the desk. One
    /// that broke off goes on, and what it had ended is counted as well.
    pub async fn void_what_was_open(
        &self,
        workspace: &WorkspaceId,
        restoration: Restoration,
    ) -> Result<Restored, StoreError> {
        let begins = (workspace.clone(), restoration.clone());
        self.write(move |tx| Box::pin(async move { begin(tx, &begins.0, &begins.1).await }))
            .await?;
        let kind = self.kind;
        loop {
            let (workspace, restoration) = (workspace.clone(), restoration.clone());
            let batch = self.write(move |tx| {
                Box::pin(async move { next(tx, kind, &workspace, &restoration).await })
            });
            if let Some(restored) = batch.await? {
                return Ok(restored);
            }
        }
    }
}

/// From here on no desk starts on it, and the first that does after the restore starts nothing.
async fn begin(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    restoration: &Restoration,
) -> Result<(), StoreError> {
    if begun::of(&mut tx.conn, workspace).await?.is_some() {
        return Ok(());
    }
    let to: Option<i64> =
        sqlx::query_scalar("SELECT MAX(at) FROM audit_heads WHERE workspace = $1")
            .bind(workspace.as_str())
            .fetch_one(&mut tx.conn)
            .await?;
    let to = Timestamp::from_millis(to.ok_or(StoreError::NotFound("log"))?);
    let stopped = switch::read(&mut tx.conn, workspace).await?;
    // A switch that was thrown before has a reason of its own, which must not be forgotten.
    if stopped.is_none_or(|switch| switch.position == SwitchPosition::Going) {
        let why = format!("the desk was put back to a backup of {to}: {}", restoration.reason);
        switch::turn(tx, workspace, SwitchPosition::Stopped, &restoration.by, &why).await?;
    }
    look_before_posting(tx, workspace).await?;
    begun::keep(tx, workspace, &Begun { to, voided: Voided::default() }).await
}

/// Ends the next batch; says what the restore came to when nothing is left.
async fn next(
    tx: &mut Tx,
    kind: Kind,
    workspace: &WorkspaceId,
    restoration: &Restoration,
) -> Result<Option<Restored>, StoreError> {
    let begun = begun::of(&mut tx.conn, workspace).await?;
    let mut begun = begun.ok_or(StoreError::NotFound("restore"))?;
    let before = begun.voided;
    end_executions(tx, workspace, &mut begun).await?;
    if begun.voided == before {
        begun.voided.requests += cancel_requests(tx, workspace, restoration, begun.to).await?;
    }
    if begun.voided == before {
        begun.voided.runs += fail_runs(tx, workspace, restoration).await?;
    }
    if begun.voided == before {
        return end(tx, kind, workspace, restoration, begun).await.map(Some);
    }
    begun::keep(tx, workspace, &begun).await?;
    Ok(None)
}

async fn end(
    tx: &mut Tx,
    kind: Kind,
    workspace: &WorkspaceId,
    restoration: &Restoration,
    begun: Begun,
) -> Result<Restored, StoreError> {
    let Begun { to, voided } = begun;
    let Voided { requests, actions, unknown, runs } = voided;
    let entry = Entry {
        workspace,
        kind: "desk.restored",
        subject: workspace.as_str(),
        body: json!({
            "by": restoration.by, "reason": restoration.reason, "to": to, "requests": requests,
            "actions": actions, "unknown": unknown, "runs": runs,
        }),
    };
    audit::append(tx, entry).await?;
    begun::end(tx, workspace).await?;
    if kind == Kind::Sqlite {
        tx.raw(sqlite::NO_BACKUP).await?;
    }
    let switch = switch::read(&mut tx.conn, workspace).await?;
    let switch = switch.ok_or(StoreError::NotFound("stop switch"))?;
    Ok(Restored { to, voided, switch })
}

/// What was still to be posted may have been posted since: it is looked for first.
async fn look_before_posting(tx: &mut Tx, workspace: &WorkspaceId) -> Result<(), StoreError> {
    for statement in [
        "UPDATE notices SET intent_at = created_at
         WHERE workspace = $1 AND state = 'owed' AND intent_at IS NULL",
        "/* every row */ UPDATE cards SET intent_at = (SELECT asked_at FROM requests WHERE id = request_id)
         WHERE workspace = $1 AND state = 'open' AND message_ts IS NULL AND intent_at IS NULL",
    ] {
        sqlx::query(statement).bind(workspace.as_str()).execute(&mut tx.conn).await?;
    }
    Ok(())
}

/// Those that had not begun may have begun since, as those that had may have ended.
async fn end_executions(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    begun: &mut Begun,
) -> Result<(), StoreError> {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM executions
         WHERE workspace = $1 AND state IN ('ordered', 'claimed', 'started')
         ORDER BY ordered_at, id LIMIT $2",
    )
    .bind(workspace.as_str())
    .bind(big(BATCH))
    .fetch_all(&mut tx.conn)
    .await?;
    for id in open {
        let row = executions::row(tx, &id).await?;
        let (counted, then) = match row.state == state_text(ExecutionState::Started) {
            true => (&mut begun.voided.unknown, "was under way, and how it ended"),
            false => (&mut begun.voided.actions, "had not begun, and whether it did since"),
        };
        *counted += 1;
        let to = begun.to;
        let why = format!(
            "the desk was put back to a backup of {to}; in it this {then} is not known here"
        );
        settle::end(tx, &row, ExecutionState::Unknown, &why).await?;
    }
    Ok(())
}

async fn cancel_requests(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    restoration: &Restoration,
    to: Timestamp,
) -> Result<usize, StoreError> {
    let pending: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM requests WHERE workspace = $1 AND outcome IS NULL
         ORDER BY asked_at, id LIMIT $2",
    )
    .bind(workspace.as_str())
    .bind(big(BATCH))
    .fetch_all(&mut tx.conn)
    .await?;
    let (operator, reason) = (restoration.by.clone(), restoration.reason.clone());
    let event = Event::Restore { operator, to, reason };
    for id in &pending {
        let loaded = requests::load(&mut tx.conn, &RequestId::existing(id)).await?;
        let loaded = loaded.ok_or(StoreError::NotFound("request"))?;
        if let Err(refusal) = transition(tx, &loaded, &event, json!({ "restored": true })).await? {
            return Err(StoreError::damaged("request", refusal));
        }
    }
    Ok(pending.len())
}

async fn fail_runs(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    restoration: &Restoration,
) -> Result<usize, StoreError> {
    let open: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, thread_id FROM runs
         WHERE workspace = $1 AND state IN ('queued', 'running', 'waiting')
         ORDER BY created_at, id LIMIT $2",
    )
    .bind(workspace.as_str())
    .bind(big(BATCH))
    .fetch_all(&mut tx.conn)
    .await?;
    for (id, thread) in &open {
        let run = Held {
            id: RunId::existing(id),
            workspace: workspace.clone(),
            thread: ThreadId::existing(thread),
        };
        let why = "the desk was restored from a backup";
        runs::end(tx, &run, Err((ErrorCode::Restored, why))).await?;
        let notice = NewNotice {
            workspace: workspace.clone(),
            request: None,
            run: Some(run.id),
            kind: "reply".to_owned(),
            body: json!({ "text": restoration.told }),
        };
        notices::owe(tx, &notice).await?;
    }
    Ok(open.len())
}
