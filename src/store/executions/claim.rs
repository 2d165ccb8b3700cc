//! What a worker has of an execution: it claims it, keeps it alive, and settles what broke off.

use super::{Row, state_text};
use crate::approval::{self, ExecutionState, Sealed, Settlement, StartRefusal};
use crate::base::{ExecutionId, RequestId, RunId, Span, Timestamp, WorkspaceId};
use crate::store::cards::{self, Viewer};
use crate::store::{Store, StoreError, Tx, big, count, instant, settle};

/// What a claimed execution needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// [`Store::start_execution`], then call the tool.
    Start,
    /// An earlier call may have taken effect, and its tool can be asked: probe first.
    Probe,
}

/// An execution that this worker holds until its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedExecution {
    pub id: ExecutionId,
    pub workspace: WorkspaceId,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    pub sealed: Sealed,
    /// The same for every attempt.
    pub key: String,
    pub epoch: u64,
    /// How often the call has begun.
    pub attempts: u64,
    pub start_by: Timestamp,
    /// How long the target of a keyed action remembers its key.
    pub window: Span,
    pub next: NextStep,
}

impl Store {
    /// Takes at most `limit` executions that need work: ordered, or left by a worker whose lease
    /// has ended. Of the latter, those that may neither be repeated nor asked about are settled
    /// here and not handed out. `window` says how long the target of a keyed action remembers its
    /// key; zero when nobody knows.
    pub async fn claim_executions(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
        window: impl Fn(&Sealed) -> Span + Send + Sync + 'static,
    ) -> Result<Vec<ClaimedExecution>, StoreError> {
        let owner = owner.to_owned();
        self.write(move |tx| {
            Box::pin(async move { claim(tx, &owner, lease, limit, &window).await })
        })
        .await
    }

    /// Keeps an execution for another `lease` from now. That it runs is shown when it does not end
    /// before its worker gives its first signs of life.
    pub async fn renew_execution(
        &self,
        execution: &ExecutionId,
        epoch: u64,
        lease: Span,
    ) -> Result<(), StoreError> {
        let execution = execution.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let renewed: Option<(Option<String>, Option<i64>)> = sqlx::query_as(
                    "UPDATE executions SET lease_until = $3
                     WHERE id = $1 AND epoch = $2 AND state IN ('claimed', 'started')
                     RETURNING request_id, started_at",
                )
                .bind(execution.as_str())
                .bind(big(epoch))
                .bind(tx.now.plus(lease).as_millis())
                .fetch_optional(&mut tx.conn)
                .await?;
                let (request, started_at) = renewed.ok_or(StoreError::Fenced)?;
                let begun_lately = |at: &i64| tx.now < instant(*at).plus(lease);
                match request.zip(started_at.filter(begun_lately)) {
                    Some((request, _)) => {
                        let request = RequestId::existing(request);
                        cards::refresh(tx, &request, Viewer::Somebody).await
                    }
                    None => Ok(()),
                }
            })
        })
        .await
    }
}

async fn claim(
    tx: &mut Tx,
    owner: &str,
    lease: Span,
    limit: usize,
    window: &(impl Fn(&Sealed) -> Span + Sync),
) -> Result<Vec<ClaimedExecution>, StoreError> {
    let due: Vec<Row> = sqlx::query_as(
        "SELECT id, workspace, request_id, run_id, interrupt_id, envelope, digest, key, state,
                epoch, attempts, start_by, started_at, note
         FROM executions
         WHERE state IN ('ordered', 'claimed', 'started')
           AND (state = 'ordered' OR lease_until <= $1)
         ORDER BY ordered_at, id LIMIT $2",
    )
    .bind(tx.now.as_millis())
    .bind(big(limit))
    .fetch_all(&mut tx.conn)
    .await?;
    let mut claimed = Vec::with_capacity(due.len());
    for row in due {
        // Bytes that cannot be read or were changed could name any tool: nothing is ever done
        // with them again.
        match tx.conn.opened(&row.envelope) {
            Ok(sealed) if sealed.digest().to_string() == row.digest => {
                let window = window(&sealed);
                claimed.extend(take(tx, row, sealed, owner, lease, window).await?);
            }
            Ok(_) | Err(_) => {
                settle::never_starts(tx, &row, StartRefusal::DigestMismatch).await?;
            }
        }
    }
    Ok(claimed)
}

/// Claims one execution, or settles it here when nobody may touch it any more.
async fn take(
    tx: &mut Tx,
    row: Row,
    sealed: Sealed,
    owner: &str,
    lease: Span,
    window: Span,
) -> Result<Option<ClaimedExecution>, StoreError> {
    let retry = sealed.envelope().tool.retry;
    let (state, next) = match approval::settle(row.begun()?, retry, window, tx.now) {
        Settlement::OrderAgain => (ExecutionState::Claimed, NextStep::Start),
        Settlement::Repeat => (ExecutionState::Started, NextStep::Start),
        Settlement::Probe => (ExecutionState::Started, NextStep::Probe),
        Settlement::Unknown => {
            settle::end(tx, &row, ExecutionState::Unknown, &row.broke_off()).await?;
            return Ok(None);
        }
        Settlement::Failed => {
            let why = format!("it broke off every time it was tried: {}", row.broke_off());
            settle::end(tx, &row, ExecutionState::Failed, &why).await?;
            return Ok(None);
        }
    };
    sqlx::query(
        "UPDATE executions SET state = $2, owner = $3, lease_until = $4, epoch = epoch + 1
         WHERE id = $1",
    )
    .bind(&row.id)
    .bind(state_text(state))
    .bind(owner)
    .bind(tx.now.plus(lease).as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(Some(ClaimedExecution {
        id: ExecutionId::existing(row.id),
        workspace: WorkspaceId::existing(row.workspace),
        request: row.request_id.map(RequestId::existing),
        run: row.run_id.map(RunId::existing),
        sealed,
        key: row.key,
        epoch: count::<u64>("epoch", row.epoch)? + 1,
        attempts: count("attempts", row.attempts)?,
        start_by: instant(row.start_by),
        window,
        next,
    }))
}
