//! What is of no use once it is old: messages that were sent, deliveries that do not come again, and
//! presses on the cards of requests that are reduced already.

use super::records::Rest;
use super::{ROWS_AT_ONCE, Told, tell};
use crate::audit::RecordRow;
use crate::base::{Timestamp, WorkspaceId};
use crate::store::{Store, StoreError, Tx, big};

pub(super) const NOTICES: &str = "DELETE FROM notices WHERE id IN (
   SELECT id FROM notices
   WHERE workspace = $1 AND state <> 'owed' AND created_at < $2
   ORDER BY created_at LIMIT $3)";

pub(super) const DELIVERIES: &str = "DELETE FROM intake WHERE (workspace, key) IN (
   SELECT workspace, key FROM intake
   WHERE workspace = $1 AND received_at < $2 AND key NOT LIKE 'erasure:%'
   ORDER BY received_at LIMIT $3)";

impl Store {
    /// Forgets some messages that were sent, or given up, before this. Says how many.
    pub async fn forget_notices(
        &self,
        workspace: &WorkspaceId,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        self.forget(workspace, before, "notices", NOTICES).await
    }

    /// Forgets some deliveries that came before this. Says how many. An erasure that is not
    /// over is no delivery, and stands beside them.
    pub async fn forget_deliveries(
        &self,
        workspace: &WorkspaceId,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        self.forget(workspace, before, "deliveries", DELIVERIES).await
    }

    async fn forget(
        &self,
        workspace: &WorkspaceId,
        before: Timestamp,
        what: &'static str,
        statement: &'static str,
    ) -> Result<usize, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let forgotten = sqlx::query(statement)
                    .bind(workspace.as_str())
                    .bind(before.as_millis())
                    .bind(big(ROWS_AT_ONCE))
                    .execute(&mut tx.conn)
                    .await?;
                let count = usize::try_from(forgotten.rows_affected()).unwrap_or(usize::MAX);
                let told = Told { workspace: &workspace, what, count, before };
                tell(tx, told, Vec::new()).await?;
                Ok(count)
            })
        })
        .await
    }

    /// Reduces what the log says of some presses, before this, on cards of requests that
    /// were reduced before. Says how many.
    pub async fn reduce_late_presses(
        &self,
        workspace: &WorkspaceId,
        before: Timestamp,
    ) -> Result<usize, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let rests = late(tx, &workspace, before).await?;
                let count = rests.len();
                let told = Told { workspace: &workspace, what: "presses", count, before };
                tell(tx, told, rests).await?;
                Ok(count)
            })
        })
        .await
    }
}

pub(super) const LATE: &str =
    "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by FROM audit
     WHERE workspace = $1 AND kind = 'click.refused' AND reduced_by IS NULL AND at < $2
       AND EXISTS (SELECT 1 FROM requests WHERE id = subject AND reduced_at IS NOT NULL)
     ORDER BY at LIMIT $3";

async fn late(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    before: Timestamp,
) -> Result<Vec<Rest>, StoreError> {
    let late: Vec<RecordRow> = sqlx::query_as(LATE)
        .bind(workspace.as_str())
        .bind(before.as_millis())
        .bind(big(ROWS_AT_ONCE))
        .fetch_all(&mut tx.conn)
        .await?;
    // One that was changed stays as it is.
    Ok(late.into_iter().filter_map(|row| Rest::of(row).ok()).collect())
}
