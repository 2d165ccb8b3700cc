//! Requests that ended long ago, with their votes, their actions and what the log says of them.

use serde_json::Value;

use super::records::{self, Rest};
use super::{Batch, Passed, REQUESTS_AT_ONCE, Told, beginning, executions, tell};
use crate::approval::Kept;
use crate::audit;
use crate::base::{RequestId, Timestamp, WorkspaceId};
use crate::store::requests::{self, Loaded};
use crate::store::rows::{big, from_json, json};
use crate::store::{Store, StoreError, Tx};

impl Store {
    /// Reduces some requests that ended before this, and whose cards, notices and actions
    /// are done with.
    pub async fn reduce_requests(
        &self,
        workspace: &WorkspaceId,
        before: Timestamp,
        after: Option<Passed>,
    ) -> Result<Batch, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let old = old(tx, &workspace, before, after.unwrap_or_else(beginning)).await?;
                let next = old.last().cloned();
                let (mut rests, mut reduced) = (Vec::new(), 0);
                for Passed { id, .. } in old {
                    match reduce(tx, &RequestId::existing(&id)).await {
                        Ok(left) => {
                            rests.extend(left);
                            reduced += 1;
                        }
                        // What somebody may have to look at stays as it is.
                        Err(error @ StoreError::Damaged { .. }) => {
                            tracing::error!(request = id, %error, "is kept whole");
                        }
                        Err(error) => return Err(error),
                    }
                }
                let what = "requests";
                let told = Told { workspace: &workspace, what, count: reduced, before };
                tell(tx, told, rests).await?;
                Ok(Batch { reduced, next })
            })
        })
        .await
    }
}

/// Those that nothing stands in the way of, after how far the walk has come. What a person has found out
/// about an action is as old as their finding it.
pub(super) const OLD: &str = "SELECT asked_at, id FROM requests
    WHERE workspace = $1 AND outcome IS NOT NULL AND reduced_at IS NULL AND asked_at < $2
      AND (asked_at > $3 OR (asked_at = $3 AND id > $4))
      AND NOT EXISTS (
        SELECT 1 FROM audit WHERE subject = requests.id AND kind LIKE 'request.%' AND at >= $2)
      AND NOT EXISTS (
        SELECT 1 FROM executions WHERE request_id = requests.id
          AND (ended_at IS NULL OR ended_at >= $2 OR (state = 'unknown' AND (settled IS NULL
            OR EXISTS (SELECT 1 FROM audit WHERE subject = executions.id
                 AND kind = 'execution.settled' AND at >= $2)))))
      AND NOT EXISTS (
        SELECT 1 FROM cards WHERE request_id = requests.id
          AND state = 'open' AND shown_version < want_version)
      AND NOT EXISTS (
        SELECT 1 FROM notices WHERE request_id = requests.id AND state = 'owed')
    ORDER BY asked_at, id LIMIT $5";

async fn old(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    before: Timestamp,
    after: Passed,
) -> Result<Vec<Passed>, StoreError> {
    let old: Vec<(i64, String)> = sqlx::query_as(OLD)
        .bind(workspace.as_str())
        .bind(before.as_millis())
        .bind(after.at)
        .bind(after.id)
        .bind(big(REQUESTS_AT_ONCE))
        .fetch_all(&mut tx.conn)
        .await?;
    Ok(old.into_iter().map(|(at, id)| Passed { at, id }).collect())
}

/// Reduces one request in all its rows, if it is whole. Gives back what is left of its records. What is
/// damaged is found before anything is written.
pub(in crate::store) async fn reduce(
    tx: &mut Tx,
    request: &RequestId,
) -> Result<Vec<Rest>, StoreError> {
    let loaded = requests::load(&mut tx.conn, request).await?;
    let Some(Loaded { request, kept: Kept::Whole(sealed), .. }) = loaded else {
        return Ok(Vec::new());
    };
    let mut rests = records::of(tx, &request.workspace, request.id.as_str()).await?;
    let execution = executions::of_request(tx, &request.workspace, request.id.as_str()).await?;
    let evidence = evidence_of(tx, &request.id).await?;
    sqlx::query(
        "UPDATE requests SET envelope = $2, decision = $3, claim = NULL, because = NULL,
                undeliverable = NULL, reduced_at = $4
         WHERE id = $1",
    )
    .bind(request.id.as_str())
    .bind(json(&sealed.envelope().clone().reduced())?)
    .bind(request.decision.map(|decision| json(&decision.reduced())).transpose()?)
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    for (vote, evidence) in request.votes.into_iter().zip(evidence) {
        sqlx::query(
            "UPDATE votes SET body = $3, evidence = $4 WHERE request_id = $1 AND person = $2",
        )
        .bind(request.id.as_str())
        .bind(vote.by.person.as_str())
        .bind(json(&vote.clone().reduced())?)
        .bind(audit::evidence(&evidence).to_string())
        .execute(&mut tx.conn)
        .await?;
    }
    forget_what_cards_showed(tx, &request.id).await?;
    if let Some(execution) = execution {
        rests.extend(execution.write(tx).await?);
    }
    Ok(rests)
}

/// Of what people saw a card has the hash, which has no salt: whoever knows the rest finds names in it by
/// guessing. Why a card could not be shown may have words in it. What was never shown is not owed any
/// more, so nobody asks for either.
pub(in crate::store) async fn forget_what_cards_showed(
    tx: &mut Tx,
    request: &RequestId,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE cards SET shown_hash = NULL, shown_blocks = NULL, error = NULL WHERE request_id = $1",
    )
    .bind(request.as_str())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// The evidence of each vote, in their order.
async fn evidence_of(tx: &mut Tx, request: &RequestId) -> Result<Vec<Value>, StoreError> {
    let evidence: Vec<String> =
        sqlx::query_scalar("SELECT evidence FROM votes WHERE request_id = $1 ORDER BY seq")
            .bind(request.as_str())
            .fetch_all(&mut tx.conn)
            .await?;
    evidence.iter().map(|evidence| from_json("evidence", evidence)).collect()
}
