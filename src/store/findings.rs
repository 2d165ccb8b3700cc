//! Executions whose outcome nobody knows: which they are, and what a human found out about one.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::executions::{self, ExecutionView, ViewRow, state_of};
use super::rows::{big, from_json, json};
use super::runs::fenced;
use super::{Conn, Store, StoreError, Tx, settle};
use crate::approval::{ExecutionState, Finding, Sealed, Settled};
use crate::audit::{self, Entry};
use crate::base::{ExecutionId, RequestId, WorkspaceId};

/// An execution with what there is to know it by.
#[derive(Clone, Debug)]
pub struct ActionRun {
    pub execution: ExecutionView,
    /// Absent when a rule allowed the action.
    pub request: Option<RequestId>,
    /// The name of its tool.
    pub tool: String,
    /// Its envelope, as it is stored.
    pub bytes: String,
    /// What the target was given to tell it by, if it keeps such keys.
    pub key: String,
}

/// Why there is nothing to settle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotUnsettled {
    /// What became of it is known, or it has not ended.
    Known(ExecutionState),
    /// Somebody has settled it before.
    Before(Settled),
}

impl Store {
    /// At most `limit` executions whose outcome nobody knows, oldest first.
    pub async fn unsettled(
        &self,
        workspace: &WorkspaceId,
        limit: usize,
    ) -> Result<Vec<ActionRun>, StoreError> {
        let mut reader = self.reader().await?;
        let rows: Vec<ActionRow> = sqlx::query_as(
            "SELECT id, state, attempts, start_by, started_at, ended_at, note, settled, request_id,
                    envelope, key
             FROM executions
             WHERE workspace = $1 AND state = 'unknown' AND settled IS NULL
             ORDER BY ended_at, id LIMIT $2",
        )
        .bind(workspace.as_str())
        .bind(big(limit))
        .fetch_all(&mut reader)
        .await?;
        let mut listed = Vec::with_capacity(rows.len());
        for row in rows {
            listed.push(action_run(&mut reader, row).await?);
        }
        Ok(listed)
    }

    /// One execution, whatever became of it.
    pub async fn execution(
        &self,
        workspace: &WorkspaceId,
        execution: &ExecutionId,
    ) -> Result<Option<ActionRun>, StoreError> {
        let mut reader = self.reader().await?;
        let row: Option<ActionRow> = sqlx::query_as(
            "SELECT id, state, attempts, start_by, started_at, ended_at, note, settled, request_id,
                    envelope, key
             FROM executions WHERE workspace = $1 AND id = $2",
        )
        .bind(workspace.as_str())
        .bind(execution.as_str())
        .fetch_optional(&mut reader)
        .await?;
        match row {
            Some(row) => Ok(Some(action_run(&mut reader, row).await?)),
            None => Ok(None),
        }
    }

    /// Writes down what a human found out. It is final, the cards show it, and the requester is
    /// told. `which` is the id of the execution, or of the request that led to it.
    pub async fn settle_unknown(
        &self,
        workspace: &WorkspaceId,
        which: &str,
        finding: Finding,
        by: &str,
        reason: &str,
    ) -> Result<Result<(), NotUnsettled>, StoreError> {
        let (workspace, which) = (workspace.clone(), which.to_owned());
        let (by, reason) = (by.to_owned(), reason.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let settled = Settled { finding, by, reason, at: tx.now };
                write_down(tx, &workspace, &which, settled).await
            })
        })
        .await
    }
}

#[derive(sqlx::FromRow)]
struct ActionRow {
    #[sqlx(flatten)]
    execution: ViewRow,
    request_id: Option<String>,
    envelope: String,
    key: String,
}

async fn action_run(conn: &mut Conn, row: ActionRow) -> Result<ActionRun, StoreError> {
    Ok(ActionRun {
        execution: executions::view(row.execution)?.with_late(conn).await?,
        request: row.request_id.map(RequestId::existing),
        tool: executions::tool(Sealed::open(&row.envelope)),
        bytes: row.envelope,
        key: row.key,
    })
}

async fn write_down(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    which: &str,
    settled: Settled,
) -> Result<Result<(), NotUnsettled>, StoreError> {
    let found: Option<(String, String, Option<String>)> = sqlx::query_as(
        "SELECT id, state, settled FROM executions
         WHERE workspace = $1 AND (id = $2 OR request_id = $2)",
    )
    .bind(workspace.as_str())
    .bind(which)
    .fetch_optional(&mut tx.conn)
    .await?;
    let (id, state, before) = found.ok_or(StoreError::NotFound("execution"))?;
    if let Some(before) = before {
        return Ok(Err(NotUnsettled::Before(from_json("finding", &before)?)));
    }
    let state = state_of(&state)?;
    if state != ExecutionState::Unknown {
        return Ok(Err(NotUnsettled::Known(state)));
    }
    let text = json(&settled)?;
    let written = sqlx::query(
        "UPDATE executions SET settled = $2
         WHERE id = $1 AND state = 'unknown' AND settled IS NULL",
    )
    .bind(&id)
    .bind(&text)
    .execute(&mut tx.conn)
    .await?;
    fenced(&written)?;
    let entry = Entry {
        workspace,
        kind: "execution.settled",
        subject: &id,
        body: json!({
            "finding": settled.finding, "by": settled.by,
            "settled_hash": hex::encode(Sha256::digest(&text)),
        }),
    };
    audit::append(tx, entry).await?;
    let row = executions::row(tx, &id).await?;
    settle::show_end(tx, &row, workspace.clone()).await?;
    Ok(Ok(()))
}
