//! What nobody knows is not done again.
//!
//! An action whose outcome is unknown may have taken effect, and an equal one under a key of its own would
//! then do it twice. Whatever a rule allows and whoever asks, it waits until a person has said what became
//! of the first.

use super::notices::{self, ActionNotice};
use super::{StoreError, Tx};
use crate::approval::{RetryClass, Sealed};
use crate::base::{ExecutionId, RunId, WorkspaceId};

/// The oldest execution whose outcome nobody knows and that an equal action must wait for. One whose bytes
/// cannot be read may have been equal to anything. What changes nothing waits for none.
pub(super) async fn waits_for(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    sealed: &Sealed,
) -> Result<Option<ExecutionId>, StoreError> {
    if sealed.envelope().tool.retry == RetryClass::Pure {
        return Ok(None);
    }
    let unsettled: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, envelope FROM executions
         WHERE workspace = $1 AND state = 'unknown' AND settled IS NULL ORDER BY ended_at, id",
    )
    .bind(workspace.as_str())
    .fetch_all(&mut tx.conn)
    .await?;
    let first = unsettled.into_iter().find(|(_, envelope)| {
        tx.conn.opened(envelope).ok().is_none_or(|other| other.does_the_same_as(sealed))
    });
    Ok(first.map(|(id, _)| ExecutionId::existing(id)))
}

/// What the agent is told that asked for it again.
pub(super) fn told(tool: &str, unsettled: &ExecutionId) -> String {
    format!(
        "Nobody knows whether {tool} with these arguments happened before ({unsettled}), so it is not \
         done again before a person has settled that."
    )
}

/// The thread of the run shows it.
pub(super) async fn show(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    run: &RunId,
    unsettled: ExecutionId,
) -> Result<(), StoreError> {
    notices::owe_about(tx, workspace, run, &ActionNotice::NotAgain { unsettled }).await
}
