//! Executions: how they are ordered and seen.

mod claim;

pub use claim::{ClaimedExecution, NextStep};

use super::answers::Asking;
use super::rows::{count, from_json, instant};
use super::{Conn, Store, StoreError, Tx};
use crate::approval::{Begun, CanonicalError, ExecutionState, Late, RetryClass, Sealed, Settled};
use crate::base::{ExecutionId, RequestId, RunId, Timestamp, WorkspaceId};

/// How an execution stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionView {
    pub id: ExecutionId,
    pub state: ExecutionState,
    pub attempts: u64,
    pub start_by: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The result when it succeeded; else why it failed, is unknown or was refused. While it is
    /// begun: how its last call ended, if that did not say whether it happened.
    pub note: Option<String>,
    /// What a worker said that had lost it, while its outcome is unknown.
    pub late: Option<Late>,
    /// What a human found out, when its outcome was unknown.
    pub settled: Option<Settled>,
}

impl Store {
    /// The executions that have started and not ended: what the stop switch cannot call back.
    pub async fn executions_under_way(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Vec<ExecutionView>, StoreError> {
        let rows: Vec<ViewRow> = sqlx::query_as(
            "SELECT id, state, attempts, start_by, started_at, ended_at, note, settled
             FROM executions
             WHERE state IN ('ordered', 'claimed', 'started') AND state = 'started'
               AND workspace = $1 ORDER BY started_at, id",
        )
        .bind(workspace.as_str())
        .fetch_all(&mut self.reader().await?)
        .await?;
        rows.into_iter().map(view).collect()
    }

    /// How many executions wait for a human to say what they did.
    pub async fn unknown_executions(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        let unknown: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM executions WHERE workspace = $1 AND state = 'unknown' AND settled IS NULL",
        )
        .bind(workspace.as_str())
        .fetch_one(&mut self.reader().await?)
        .await?;
        count("unknown executions", unknown)
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct ViewRow {
    id: String,
    state: String,
    attempts: i64,
    start_by: i64,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    note: Option<String>,
    settled: Option<String>,
}

pub(super) fn view(row: ViewRow) -> Result<ExecutionView, StoreError> {
    Ok(ExecutionView {
        id: ExecutionId::existing(row.id),
        state: state_of(&row.state)?,
        attempts: count("attempts", row.attempts)?,
        start_by: instant(row.start_by),
        started_at: row.started_at.map(instant),
        ended_at: row.ended_at.map(instant),
        note: row.note,
        late: None,
        settled: row.settled.as_deref().map(|text| from_json("finding", text)).transpose()?,
    })
}

impl ExecutionView {
    /// Adds what a worker said last that had lost it. Nobody needs that when its outcome is known.
    pub(super) async fn with_late(mut self, conn: &mut Conn) -> Result<Self, StoreError> {
        if self.state == ExecutionState::Unknown {
            let said: Option<String> = sqlx::query_scalar(
                "SELECT body FROM audit WHERE subject = $1 AND kind = 'execution.late_result'
                 ORDER BY seq DESC LIMIT 1",
            )
            .bind(self.id.as_str())
            .fetch_optional(conn)
            .await?;
            self.late = said.as_deref().map(|body| from_json("audit record", body)).transpose()?;
        }
        Ok(self)
    }
}

pub(crate) fn state_text(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Ordered => "ordered",
        ExecutionState::Claimed => "claimed",
        ExecutionState::Started => "started",
        ExecutionState::Succeeded => "succeeded",
        ExecutionState::Failed => "failed",
        ExecutionState::Unknown => "unknown",
        ExecutionState::Refused => "refused",
    }
}

fn retry_text(retry: RetryClass) -> &'static str {
    match retry {
        RetryClass::Pure => "pure",
        RetryClass::Keyed => "keyed",
        RetryClass::Probe => "probe",
        RetryClass::Once => "once",
    }
}

pub(crate) fn state_of(text: &str) -> Result<ExecutionState, StoreError> {
    use ExecutionState::{Claimed, Failed, Ordered, Refused, Started, Succeeded, Unknown};
    [Ordered, Claimed, Started, Succeeded, Failed, Unknown, Refused]
        .into_iter()
        .find(|state| state_text(*state) == text)
        .ok_or_else(|| StoreError::damaged("execution", format!("`{text}` is no state")))
}

/// Orders the one run of an action. There is at most one for each request and each question.
pub(super) async fn order(
    tx: &mut Tx,
    sealed: &Sealed,
    request: Option<&RequestId>,
    asking: Option<&Asking>,
    start_by: Timestamp,
) -> Result<ExecutionId, StoreError> {
    let execution = ExecutionId::new(tx.ids.as_ref());
    sqlx::query(
        "INSERT INTO executions
           (id, workspace, request_id, run_id, interrupt_id, retry_class, envelope, digest, key,
            state, epoch, attempts, start_by, ordered_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'ordered', 0, 0, $10, $11)",
    )
    .bind(execution.as_str())
    .bind(sealed.envelope().workspace.as_str())
    .bind(request.map(RequestId::as_str))
    .bind(asking.map(|asking| asking.run.as_str()))
    .bind(asking.map(|asking| asking.interrupt.as_str()))
    .bind(retry_text(sealed.envelope().tool.retry))
    .bind(sealed.bytes())
    .bind(sealed.digest().to_string())
    .bind(format!("countersign-{}", execution.as_str()))
    .bind(start_by.as_millis())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(execution)
}

/// An execution as the store works with it.
#[derive(sqlx::FromRow)]
pub(super) struct Row {
    pub(super) id: String,
    pub(super) workspace: String,
    pub(super) request_id: Option<String>,
    pub(super) run_id: Option<String>,
    pub(super) interrupt_id: Option<String>,
    pub(super) envelope: String,
    pub(super) digest: String,
    pub(super) key: String,
    pub(super) state: String,
    pub(super) epoch: i64,
    pub(super) attempts: i64,
    pub(super) start_by: i64,
    pub(super) started_at: Option<i64>,
    /// While it is begun: how its last call ended, if that did not say whether it happened.
    pub(super) note: Option<String>,
}

impl Row {
    /// What is known of a call that broke off.
    pub(super) fn broke_off(&self) -> String {
        match &self.note {
            Some(why) => format!("its last call did not say whether it happened: {why}"),
            None => "its worker stopped before it could say how the call ended".to_owned(),
        }
    }

    /// The calls that have begun, if any has.
    pub(super) fn begun(&self) -> Result<Option<Begun>, StoreError> {
        let Some(first) = self.started_at.map(instant) else {
            return Ok(None);
        };
        Ok(Some(Begun { first, attempts: count("attempts", self.attempts)? }))
    }

    pub(super) fn asking(&self) -> Option<Asking> {
        let (run, interrupt) = self.run_id.clone().zip(self.interrupt_id.clone())?;
        Some(Asking { run: RunId::existing(run), interrupt })
    }
}

/// The name of the tool in an envelope; empty when the bytes that tell are damaged.
pub(super) fn tool(opened: Result<Sealed, CanonicalError>) -> String {
    opened.map(|sealed| sealed.envelope().tool.name.clone()).unwrap_or_default()
}

pub(super) async fn row(tx: &mut Tx, execution: &str) -> Result<Row, StoreError> {
    let row = sqlx::query_as(
        "SELECT id, workspace, request_id, run_id, interrupt_id, envelope, digest, key, state,
                epoch, attempts, start_by, started_at, note
         FROM executions WHERE id = $1",
    )
    .bind(execution)
    .fetch_optional(&mut tx.conn)
    .await?;
    row.ok_or(StoreError::NotFound("execution"))
}
