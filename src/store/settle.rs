//! The end of an execution: written once, answered to the run, shown on the cards.

use serde_json::json;
use sha2::{Digest, Sha256};

use super::answers::{self, call_answer};
use super::cards::Viewer;
use super::executions::{self, Row, state_text};
use super::notices::{self, ActionNotice, NewNotice};
use super::rows::{big, text};
use super::runs::fenced;
use super::{ClaimedExecution, Store, StoreError, Tx, cards, events};
use crate::approval::{self, ExecutionState, Notice, Settlement, StartRefusal};
use crate::audit::{self, Entry};
use crate::base::failpoint::{self, Point};
use crate::base::{ExecutionId, RequestId, RunId, Span, Timestamp, WorkspaceId};
use crate::stream::RunEvent;

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Succeeded {
        content: String,
    },
    /// Certainly not applied.
    Failed {
        why: String,
    },
    /// Perhaps applied: neither the call said nor the probe. The tool's retry class says what follows.
    Unanswered {
        why: String,
    },
}

/// What was made of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Finished {
    Ended,
    /// Whoever claims it when its lease ends repeats the call or asks about it.
    LeftUnanswered,
}

impl Ended {
    fn state(&self) -> ExecutionState {
        match self {
            Self::Succeeded { .. } => ExecutionState::Succeeded,
            Self::Failed { .. } => ExecutionState::Failed,
            Self::Unanswered { .. } => ExecutionState::Unknown,
        }
    }

    fn note(&self) -> &str {
        match self {
            Self::Succeeded { content: note }
            | Self::Failed { why: note }
            | Self::Unanswered { why: note } => note,
        }
    }
}

impl Store {
    /// Writes the end of a call, answers the run and refreshes the cards. A call without an answer
    /// is not over while its tool may be asked or called again: that is left to whoever claims it
    /// another `lease` from now, when a request that was still on its way has arrived.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody took over; the result is then kept as evidence only.
    pub async fn finish_execution(
        &self,
        claimed: &ClaimedExecution,
        lease: Span,
        ended: Ended,
    ) -> Result<Finished, StoreError> {
        let claimed = claimed.clone();
        let kept = self
            .write(move |tx| {
                Box::pin(async move {
                    let kept = keep(tx, &claimed, lease, &ended).await?;
                    if kept.is_some() {
                        failpoint::reach(Point::EndWritten);
                    }
                    Ok(kept)
                })
            })
            .await?;
        kept.ok_or(StoreError::Fenced)
    }
}

/// Nothing, when it does not count.
async fn keep(
    tx: &mut Tx,
    claimed: &ClaimedExecution,
    lease: Span,
    ended: &Ended,
) -> Result<Option<Finished>, StoreError> {
    let row = executions::row(tx, claimed.id.as_str()).await?;
    let ClaimedExecution { epoch, window, .. } = claimed;
    if row.state != state_text(ExecutionState::Started) || row.epoch != big(*epoch) {
        keep_evidence(tx, &row, *epoch, ended).await?;
        return Ok(None);
    }
    // A start takes the note away, so this very call was written down before, in a commit that
    // nobody knew the end of.
    if row.note.is_some() {
        return Ok(Some(Finished::LeftUnanswered));
    }
    let retry = claimed.sealed.envelope().tool.retry;
    let until = tx.now.plus(lease);
    let next = approval::settle(row.begun()?, retry, *window, until);
    match (ended, next) {
        (
            Ended::Unanswered { why },
            Settlement::OrderAgain | Settlement::Repeat | Settlement::Probe,
        ) => {
            leave_unanswered(tx, &row, until, why).await?;
            Ok(Some(Finished::LeftUnanswered))
        }
        (Ended::Unanswered { .. } | Ended::Succeeded { .. } | Ended::Failed { .. }, _) => {
            end(tx, &row, ended.state(), ended.note()).await?;
            Ok(Some(Finished::Ended))
        }
    }
}

/// It stays begun, and people can see that nobody answered.
async fn leave_unanswered(
    tx: &mut Tx,
    row: &Row,
    until: Timestamp,
    why: &str,
) -> Result<(), StoreError> {
    let note = text(why);
    let left = sqlx::query(
        "UPDATE executions SET note = $3, lease_until = $4, owner = NULL
         WHERE id = $1 AND epoch = $2 AND ended_at IS NULL",
    )
    .bind(&row.id)
    .bind(row.epoch)
    .bind(&note)
    .bind(until.as_millis())
    .execute(&mut tx.conn)
    .await?;
    fenced(&left)?;
    let workspace = WorkspaceId::existing(&row.workspace);
    let entry = Entry {
        workspace: &workspace,
        kind: "execution.unanswered",
        subject: &row.id,
        body: json!({ "epoch": row.epoch, "attempt": row.attempts, "note": note }),
    };
    audit::append(tx, entry).await?;
    match &row.request_id {
        Some(request) => cards::refresh(tx, &RequestId::existing(request), Viewer::Somebody).await,
        None => Ok(()),
    }
}

/// A worker that lost its lease says how its call ended: it does not count, but a human who has
/// to settle an unknown outcome needs it, so the cards show it.
async fn keep_evidence(
    tx: &mut Tx,
    row: &Row,
    epoch: u64,
    ended: &Ended,
) -> Result<(), StoreError> {
    let workspace = WorkspaceId::existing(&row.workspace);
    let entry = Entry {
        workspace: &workspace,
        kind: "execution.late_result",
        subject: &row.id,
        body: json!({
            "epoch": epoch, "state": state_text(ended.state()), "note": ended.note(),
        }),
    };
    audit::append(tx, entry).await?;
    match &row.request_id {
        Some(request) if row.state == state_text(ExecutionState::Unknown) => {
            cards::refresh(tx, &RequestId::existing(request), Viewer::Somebody).await
        }
        Some(_) | None => Ok(()),
    }
}

/// It may not start, or not again.
pub(super) async fn never_starts(
    tx: &mut Tx,
    row: &Row,
    refusal: StartRefusal,
) -> Result<(), StoreError> {
    let begun = row.begun()?;
    let why = match begun {
        Some(_) => {
            let broke_off = row.broke_off();
            format!("{broke_off}; it may not be repeated or asked about: {refusal}")
        }
        None => refusal.to_string(),
    };
    match refusal.leaves(begun) {
        Some(state) => end(tx, row, state, &why).await,
        None => Ok(()),
    }
}

/// Ends an execution with a state that is final.
pub(super) async fn end(
    tx: &mut Tx,
    row: &Row,
    state: ExecutionState,
    note: &str,
) -> Result<(), StoreError> {
    let note = text(note);
    let note_hash = hex::encode(Sha256::digest(&note));
    let ended = sqlx::query(
        "UPDATE executions SET state = $3, ended_at = $4, note = $5, note_hash = $6,
                owner = NULL, lease_until = NULL
         WHERE id = $1 AND epoch = $2 AND ended_at IS NULL",
    )
    .bind(&row.id)
    .bind(row.epoch)
    .bind(state_text(state))
    .bind(tx.now.as_millis())
    .bind(&note)
    .bind(&note_hash)
    .execute(&mut tx.conn)
    .await?;
    fenced(&ended)?;
    let workspace = WorkspaceId::existing(&row.workspace);
    let entry = Entry {
        workspace: &workspace,
        kind: &format!("execution.{}", state_text(state)),
        subject: &row.id,
        body: json!({
            "attempts": row.attempts, "digest": row.digest, "request": row.request_id,
            "note_hash": note_hash,
        }),
    };
    audit::append(tx, entry).await?;
    if let Some(asking) = row.asking() {
        let tool = executions::tool(tx.conn.opened(&row.envelope));
        let told = vec![RunEvent::tool_end(&tool, answer_status(state), &note)];
        events::tell(tx, &workspace, &asking.run, told).await?;
        answers::answer(tx, &asking, &call_answer(answer_status(state), &note)).await?;
    }
    // Of what a rule allowed the agent tells, unless somebody has to look.
    if row.request_id.is_some() || state == ExecutionState::Unknown {
        show_end(tx, row, workspace).await?;
    }
    Ok(())
}

/// The cards get the result, and the requester hears of it: an updated card notifies nobody, and
/// what a rule allowed has no card.
pub(super) async fn show_end(
    tx: &mut Tx,
    row: &Row,
    workspace: WorkspaceId,
) -> Result<(), StoreError> {
    let run = row.run_id.as_ref().map(RunId::existing);
    let Some(request) = row.request_id.as_ref().map(RequestId::existing) else {
        let Some(run) = run else { return Ok(()) };
        let notice = ActionNotice::Became { execution: ExecutionId::existing(&row.id) };
        return notices::owe_about(tx, &workspace, &run, &notice).await;
    };
    cards::refresh(tx, &request, Viewer::Somebody).await?;
    let notice = NewNotice {
        workspace,
        request: Some(request),
        run,
        kind: "decided".to_owned(),
        body: json!(Notice::Decided),
    };
    notices::owe(tx, &notice).await?;
    Ok(())
}

/// The agent's word for it.
fn answer_status(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Succeeded => "succeeded",
        ExecutionState::Failed => "failed",
        ExecutionState::Unknown => "unknown",
        ExecutionState::Refused => "not_started",
        ExecutionState::Ordered | ExecutionState::Claimed | ExecutionState::Started => {
            "not_started"
        }
    }
}
