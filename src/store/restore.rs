//! After a restore: what a backup cannot know must not run.
//!
//! Between the backup and the restore the desk went on. What the backup shows as approved or
//! pending may have been decided and done since, so nothing of it starts any more: each end is
//! written as such, and people are told to ask again.

use serde_json::json;

use super::executions::{self, state_text};
use super::notices::{self, NewNotice};
use super::runs::{self, Held};
use super::transition::transition;
use super::{Store, StoreError, Tx, requests, settle};
use crate::approval::{Event, ExecutionState};
use crate::audit::{self, Entry};
use crate::base::{RequestId, RunId, ThreadId, WorkspaceId};
use crate::stream::ErrorCode;

/// How much was ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Voided {
    /// Requests that were pending.
    pub requests: usize,
    /// Approved actions that had not started.
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

impl Store {
    /// Ends everything that was not over when this database was backed up, in one transaction.
    pub async fn void_what_was_open(
        &self,
        workspace: &WorkspaceId,
        restoration: Restoration,
    ) -> Result<Voided, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| Box::pin(async move { void(tx, &workspace, &restoration).await }))
            .await
    }
}

async fn void(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    restoration: &Restoration,
) -> Result<Voided, StoreError> {
    look_before_posting(tx, workspace).await?;
    let (actions, unknown) = end_executions(tx, workspace).await?;
    let requests = cancel_requests(tx, workspace, restoration).await?;
    let runs = fail_runs(tx, workspace, restoration).await?;
    let voided = Voided { requests, actions, unknown, runs };
    let entry = Entry {
        workspace,
        kind: "desk.restored",
        subject: workspace.as_str(),
        body: json!({
            "by": restoration.by, "reason": restoration.reason, "requests": requests,
            "actions": actions, "unknown": unknown, "runs": runs,
        }),
    };
    audit::append(tx, entry).await?;
    Ok(voided)
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

/// Says how many had not started, and of how many nobody knows the end.
async fn end_executions(
    tx: &mut Tx,
    workspace: &WorkspaceId,
) -> Result<(usize, usize), StoreError> {
    let open: Vec<String> = sqlx::query_scalar(
        "/* every row */ SELECT id FROM executions WHERE workspace = $1 AND ended_at IS NULL
         ORDER BY ordered_at, id",
    )
    .bind(workspace.as_str())
    .fetch_all(&mut tx.conn)
    .await?;
    let (mut actions, mut unknown) = (0, 0);
    for id in open {
        let row = executions::row(tx, &id).await?;
        if row.state == state_text(ExecutionState::Started) {
            let why = "the desk was restored from a backup while it ran";
            settle::end(tx, &row, ExecutionState::Unknown, why).await?;
            unknown += 1;
        } else {
            let why = "the desk was restored from a backup, which cannot know whether it ran since";
            settle::end(tx, &row, ExecutionState::Refused, why).await?;
            actions += 1;
        }
    }
    Ok((actions, unknown))
}

async fn cancel_requests(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    restoration: &Restoration,
) -> Result<usize, StoreError> {
    let pending: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM requests WHERE workspace = $1 AND outcome IS NULL ORDER BY asked_at, id",
    )
    .bind(workspace.as_str())
    .fetch_all(&mut tx.conn)
    .await?;
    let event =
        Event::Cancel { operator: restoration.by.clone(), reason: restoration.reason.clone() };
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
         ORDER BY created_at, id",
    )
    .bind(workspace.as_str())
    .fetch_all(&mut tx.conn)
    .await?;
    for (id, thread) in &open {
        let run = Held {
            id: RunId::existing(id),
            workspace: workspace.clone(),
            thread: ThreadId::existing(thread),
        };
        let why = "the desk was restored from a backup";
        runs::end(tx, &run, Err((ErrorCode::RunFailed, why))).await?;
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
