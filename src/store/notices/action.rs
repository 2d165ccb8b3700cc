//! What a run's thread hears of an action that no request's card tells of.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{NewNotice, owe};
use crate::base::{ExecutionId, RunId, WorkspaceId};
use crate::store::{StoreError, Tx};

/// Names the action; how it stands is read when it is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "notice")]
pub enum ActionNotice {
    /// A rule allowed it, and nobody knew what became of it, or somebody found out.
    Became { execution: ExecutionId },
    /// An equal one is not done, because nobody has settled what became of this one.
    NotAgain { unsettled: ExecutionId },
}

/// Owes it to the thread of a run.
pub(in crate::store) async fn owe_about(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    run: &RunId,
    notice: &ActionNotice,
) -> Result<(), StoreError> {
    let notice = NewNotice {
        workspace: workspace.clone(),
        request: None,
        run: Some(run.clone()),
        kind: "action".to_owned(),
        body: json!(notice),
    };
    owe(tx, &notice).await?;
    Ok(())
}
