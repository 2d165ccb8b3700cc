//! The start: the right to call a tool is granted in the transaction that writes `started`.

use serde_json::json;

use super::executions::Row;
use super::rows::{big, count, instant};
use super::runs::fenced;
use super::{
    ClaimedExecution, Store, StoreError, SwitchPosition, Tx, again, events, executions, requests,
    settle, switch,
};
use crate::approval::{self, ExecutionState, Sealed, StartFacts, StartRefusal, Terms, Warrant};
use crate::audit::{self, Entry};
use crate::base::{RequestId, RunId, Span, WorkspaceId};
use crate::stream::RunEvent;

/// What only the configuration in force can say at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartCheck {
    /// The policy rules the same or stricter for these arguments.
    pub policy_still_holds: bool,
    /// The tool is exactly the one in the envelope.
    pub tool_unchanged: bool,
}

/// Why a call may not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartRefused {
    /// It is settled: the run has its answer and the cards will say so.
    #[error("{0}")]
    Refused(StartRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Store {
    /// Reads everything again in the transaction that writes `started`, and grants the right to
    /// call the tool once. The call may begin only after this returned, and while the `lease`
    /// holds that is counted anew from here.
    pub async fn start_execution(
        &self,
        claimed: &ClaimedExecution,
        lease: Span,
        check: impl Fn(&Sealed, Option<&Terms>) -> StartCheck + Send + 'static,
    ) -> Result<Warrant, StartRefused> {
        let claimed = claimed.clone();
        let begun = self
            .write(move |tx| Box::pin(async move { begin(tx, &claimed, lease, check).await }))
            .await?;
        begun.map_err(StartRefused::Refused)
    }
}

async fn begin(
    tx: &mut Tx,
    claimed: &ClaimedExecution,
    lease: Span,
    check: impl Fn(&Sealed, Option<&Terms>) -> StartCheck + Send,
) -> Result<Result<Warrant, StartRefusal>, StoreError> {
    let row = executions::row(tx, claimed.id.as_str()).await?;
    let facts = facts(tx, claimed, &row, check).await?;
    match facts.and_then(|facts| approval::warrant(facts, tx.now)) {
        Ok(warrant) => {
            write_started(tx, claimed, &row, lease, &warrant).await?;
            Ok(Ok(warrant))
        }
        Err(refusal) => {
            settle::never_starts(tx, &row, refusal).await?;
            Ok(Err(refusal))
        }
    }
}

/// What can be said of it now; refused when it belongs to another worker or cannot be read.
async fn facts(
    tx: &mut Tx,
    claimed: &ClaimedExecution,
    row: &Row,
    check: impl Fn(&Sealed, Option<&Terms>) -> StartCheck + Send,
) -> Result<Result<StartFacts, StartRefusal>, StoreError> {
    let epoch = count("epoch", row.epoch)?;
    let open = match executions::state_of(&row.state)? {
        ExecutionState::Claimed | ExecutionState::Started => true,
        ExecutionState::Ordered
        | ExecutionState::Succeeded
        | ExecutionState::Failed
        | ExecutionState::Unknown
        | ExecutionState::Refused => false,
    };
    if !open || epoch != claimed.epoch {
        return Ok(Err(StartRefusal::StaleEpoch));
    }
    let (Ok(sealed), Ok(stored_digest)) =
        (tx.conn.opened(&row.envelope), row.digest.clone().try_into())
    else {
        return Ok(Err(StartRefusal::DigestMismatch));
    };
    let asked = match &row.request_id {
        Some(id) => requests::load(&mut tx.conn, &RequestId::existing(id)).await?,
        None => None,
    };
    let workspace = WorkspaceId::existing(&row.workspace);
    let equal = again::waits_for(tx, &workspace, &sealed).await?;
    let switch = switch::read(&mut tx.conn, &workspace).await?;
    let checked = check(&sealed, asked.as_ref().map(|asked| &asked.request.terms));
    let decision = asked
        .and_then(|asked| asked.request.decision.map(|decision| (decision, asked.request.digest)));
    Ok(Ok(StartFacts {
        execution: claimed.id.clone(),
        sealed,
        stored_digest,
        decision,
        policy_still_holds: checked.policy_still_holds,
        tool_unchanged: checked.tool_unchanged,
        equal_unsettled: equal.is_some(),
        stopped: switch.is_some_and(|switch| switch.position == SwitchPosition::Stopped),
        epoch,
        claimed_epoch: claimed.epoch,
        start_by: instant(row.start_by),
        begun: row.begun()?,
        window: claimed.window,
        key: row.key.clone(),
    }))
}

async fn write_started(
    tx: &mut Tx,
    claimed: &ClaimedExecution,
    row: &Row,
    lease: Span,
    warrant: &Warrant,
) -> Result<(), StoreError> {
    let started = sqlx::query(
        "UPDATE executions SET state = 'started', attempts = attempts + 1,
                started_at = COALESCE(started_at, $3), note = NULL, lease_until = $4
         WHERE id = $1 AND epoch = $2",
    )
    .bind(claimed.id.as_str())
    .bind(big(claimed.epoch))
    .bind(tx.now.as_millis())
    .bind(tx.now.plus(lease).as_millis())
    .execute(&mut tx.conn)
    .await?;
    fenced(&started)?;
    let workspace = WorkspaceId::existing(&row.workspace);
    let entry = Entry {
        workspace: &workspace,
        kind: "execution.started",
        subject: claimed.id.as_str(),
        body: json!({
            "attempt": row.attempts + 1, "digest": warrant.sealed().digest(), "key": row.key,
            "epoch": claimed.epoch, "request": row.request_id,
        }),
    };
    audit::append(tx, entry).await?;
    if let Some(run) = &row.run_id {
        let envelope = warrant.sealed().envelope();
        let (tool, input) = (envelope.tool.name.clone(), json!(envelope.arguments));
        let started = vec![RunEvent::ToolStart { tool, input }];
        events::tell(tx, &workspace, &RunId::existing(run), started).await?;
    }
    Ok(())
}
