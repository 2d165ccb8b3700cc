//! Time passes: due timers become events of their requests.

use futures::future::join_all;
use serde_json::json;

use super::rows::{big, from_json, instant};
use super::transition::transition;
use super::{Store, StoreError, Tx, requests};
use crate::approval::{Event, TimerKind};
use crate::base::failpoint::{self, Point};
use crate::base::{RequestId, Timestamp, WorkspaceId};

impl Store {
    /// Fires at most `limit` timers that are due, each in a transaction of its own. How many were
    /// taken off the list is the answer; zero means that nothing is due.
    pub async fn fire_due_timers(&self, limit: usize) -> Result<usize, StoreError> {
        let due = self.write(move |tx| Box::pin(async move { due(tx, limit).await })).await?;
        let fired = due
            .into_iter()
            .map(|timer| self.write(move |tx| Box::pin(async move { fire(tx, &timer).await })));
        let mut count = 0;
        let mut last_error = None;
        for fired in join_all(fired).await {
            match fired {
                Ok(Fired::Now) => count += 1,
                Ok(Fired::Before) => {}
                Err(error) => {
                    // One request that cannot be read must not keep the others from moving on.
                    tracing::error!(%error, "a timer could not be fired");
                    last_error = Some(error);
                }
            }
        }
        match last_error {
            Some(error) if count == 0 => Err(error),
            Some(_) | None => Ok(count),
        }
    }

    /// When something next becomes due by itself: a timer, or the retry of some work.
    pub async fn next_due(&self, workspace: &WorkspaceId) -> Result<Option<Timestamp>, StoreError> {
        let next: Option<i64> = sqlx::query_scalar(
            "SELECT MIN(due) FROM (
               SELECT MIN(due_at) AS due FROM timers
                WHERE workspace = $1 AND done_at IS NULL AND due_at > $2
               UNION ALL
               SELECT MIN(retry_at) FROM runs
                WHERE workspace = $1 AND state = 'queued' AND retry_at > $2
               UNION ALL
               SELECT MIN(retry_at) FROM cards
                WHERE workspace = $1 AND state = 'open' AND shown_version < want_version
                  AND retry_at > $2
               UNION ALL
               SELECT MIN(retry_at) FROM notices
                WHERE workspace = $1 AND state = 'owed' AND retry_at > $2
               UNION ALL
               SELECT MIN(due_at) FROM shows
                WHERE workspace = $1 AND state <> 'over' AND (told > seen OR due_at IS NOT NULL)
                  AND due_at > $2
             ) AS upcoming",
        )
        .bind(workspace.as_str())
        .bind(self.clock.now().as_millis())
        .fetch_one(&mut self.reader().await?)
        .await?;
        Ok(next.map(instant))
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fired {
    Now,
    /// Somebody else took it off the list between the look and the transaction.
    Before,
}

async fn due(tx: &mut Tx, limit: usize) -> Result<Vec<String>, StoreError> {
    let due = sqlx::query_scalar(
        "SELECT id FROM timers WHERE done_at IS NULL AND due_at <= $1 ORDER BY due_at, id LIMIT $2",
    )
    .bind(tx.now.as_millis())
    .bind(big(limit))
    .fetch_all(&mut tx.conn)
    .await?;
    Ok(due)
}

async fn fire(tx: &mut Tx, timer: &str) -> Result<Fired, StoreError> {
    let taken: Option<(String, String)> = sqlx::query_as(
        "UPDATE timers SET done_at = $2 WHERE id = $1 AND done_at IS NULL AND due_at <= $2
         RETURNING request_id, kind",
    )
    .bind(timer)
    .bind(tx.now.as_millis())
    .fetch_optional(&mut tx.conn)
    .await?;
    let Some((request, kind)) = taken else {
        return Ok(Fired::Before);
    };
    let kind: TimerKind = from_json("timer", &kind)?;
    let request = RequestId::existing(request);
    let loaded = requests::load(&mut tx.conn, &request).await?;
    let loaded = loaded.ok_or(StoreError::NotFound("request"))?;
    let evidence = json!({ "timer": timer, "fires": kind });
    if let Err(refusal) = transition(tx, &loaded, &Event::TimerDue(kind), evidence).await? {
        tracing::debug!(%request, %refusal, "a timer came too late to matter");
    }
    failpoint::reach(Point::TimerWritten);
    Ok(Fired::Now)
}
