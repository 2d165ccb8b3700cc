//! What is of no use once it is old: messages that were sent, deliveries that do not come again, and
//! presses on the cards of requests that are reduced already.

use super::records::Rest;
use super::{ROWS_AT_ONCE, Told, before, tell};
use crate::audit::RecordRow;
use crate::base::{Span, WorkspaceId};
use crate::store::{Store, StoreError, Tx, big};

impl Store {
    /// Forgets some messages that were sent, or given up, longer than `kept` ago. Says how many.
    pub async fn forget_notices(
        &self,
        workspace: &WorkspaceId,
        kept: Span,
    ) -> Result<usize, StoreError> {
        let statement = "DELETE FROM notices WHERE id IN (
               SELECT id FROM notices
               WHERE workspace = $1 AND state <> 'owed' AND created_at < $2
               ORDER BY created_at LIMIT $3)";
        self.forget(workspace, kept, "notices", statement).await
    }

    /// Forgets some deliveries that came longer than `kept` ago. Says how many.
    pub async fn forget_deliveries(
        &self,
        workspace: &WorkspaceId,
        kept: Span,
    ) -> Result<usize, StoreError> {
        let statement = "DELETE FROM intake WHERE (workspace, key) IN (
               SELECT workspace, key FROM intake
               WHERE workspace = $1 AND received_at < $2 ORDER BY received_at LIMIT $3)";
        self.forget(workspace, kept, "deliveries", statement).await
    }

    async fn forget(
        &self,
        workspace: &WorkspaceId,
        kept: Span,
        what: &'static str,
        statement: &'static str,
    ) -> Result<usize, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let before = before(tx, kept);
                let forgotten = sqlx::query(statement)
                    .bind(workspace.as_str())
                    .bind(before)
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

    /// Reduces what the log says of some presses, longer than `kept` ago, on cards of requests that
    /// were reduced before. Says how many.
    pub async fn reduce_late_presses(
        &self,
        workspace: &WorkspaceId,
        kept: Span,
    ) -> Result<usize, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let before = before(tx, kept);
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

async fn late(tx: &mut Tx, workspace: &WorkspaceId, before: i64) -> Result<Vec<Rest>, StoreError> {
    let late: Vec<RecordRow> = sqlx::query_as(
        "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by FROM audit
         WHERE workspace = $1 AND kind = 'click.refused' AND reduced_by IS NULL AND at < $2
           AND EXISTS (SELECT 1 FROM requests WHERE id = subject AND reduced_at IS NOT NULL)
         ORDER BY at LIMIT $3",
    )
    .bind(workspace.as_str())
    .bind(before)
    .bind(big(ROWS_AT_ONCE))
    .fetch_all(&mut tx.conn)
    .await?;
    // One that was changed stays as it is.
    Ok(late.into_iter().filter_map(|row| Rest::of(row).ok()).collect())
}
