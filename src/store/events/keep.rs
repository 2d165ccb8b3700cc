//! How events are written, read and forgotten.

use super::{Batch, Listener};
use crate::base::{RunId, Span, Timestamp, WorkspaceId};
use crate::store::rows::{big, count, from_json, json};
use crate::store::{Store, StoreError, Tx, runs, shows};
use crate::stream::RunEvent;

/// How many batches are read at once, and how many are forgotten in one transaction.
const PAGE: usize = 64;
const FORGOTTEN_AT_ONCE: usize = 500;

/// Appends to the log of a run, in the transaction of what it tells.
pub(in crate::store) async fn tell(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    run: &RunId,
    events: Vec<RunEvent>,
) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let last: Option<i64> = sqlx::query_scalar(
        "SELECT last_seq FROM run_events WHERE run_id = $1 ORDER BY first_seq DESC LIMIT 1",
    )
    .bind(run.as_str())
    .fetch_optional(&mut tx.conn)
    .await?;
    let first = count::<u64>("event", last.unwrap_or_default())? + 1;
    let batch = Batch { run: run.clone(), first, events };
    sqlx::query(
        "INSERT INTO run_events (run_id, first_seq, last_seq, workspace, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(run.as_str())
    .bind(big(batch.first))
    .bind(big(batch.last()))
    .bind(workspace.as_str())
    .bind(json(&batch.events)?)
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    shows::told(&mut tx.conn, run, batch.last()).await?;
    tx.told.push(batch);
    Ok(())
}

impl Store {
    /// Appends what a run tells between two of its supersteps.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the epoch is no longer the run's.
    pub async fn tell(
        &self,
        run: &RunId,
        epoch: u64,
        events: Vec<RunEvent>,
    ) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let held = runs::hold(tx, &run, epoch).await?;
                tell(tx, &held.workspace, &run, events).await
            })
        })
        .await
    }

    /// Hears the events of a run that this process commits from now on.
    pub fn listen(&self, run: &RunId) -> Listener {
        self.feed.listen(run)
    }

    /// The next batches of a run that hold events after number `after`, oldest first; there may be
    /// more after them, unless there are none.
    pub async fn events_after(&self, run: &RunId, after: u64) -> Result<Vec<Batch>, StoreError> {
        let rows: Vec<(i64, String)> = sqlx::query_as(
            "SELECT first_seq, body FROM run_events
             WHERE run_id = $1 AND last_seq > $2 AND first_seq >= COALESCE(
               (SELECT MAX(first_seq) FROM run_events WHERE run_id = $1 AND first_seq <= $2), 0)
             ORDER BY first_seq LIMIT $3",
        )
        .bind(run.as_str())
        .bind(big(after))
        .bind(big(PAGE))
        .fetch_all(&mut self.reader().await?)
        .await?;
        let batch = |(first, body): (i64, String)| {
            let events: Vec<RunEvent> = from_json("event", &body)?;
            Ok(Batch { run: run.clone(), first: count("event", first)?, events })
        };
        rows.into_iter().map(batch).collect()
    }

    /// Forgets what runs told that ended longer than `kept` ago, of the oldest events from an instant
    /// on. Says from where to go on, if there may be more. Nothing is looked at that has not its age:
    /// the runs that ever ended are many.
    pub async fn forget_events(
        &self,
        kept: Span,
        from: Option<Timestamp>,
    ) -> Result<Option<Timestamp>, StoreError> {
        let from = from.map_or(i64::MIN, Timestamp::as_millis);
        self.write(move |tx| {
            Box::pin(async move {
                let before = tx.now.as_millis().saturating_sub(kept.as_millis());
                let last: Option<i64> = sqlx::query_scalar(LAST_OF_MANY)
                    .bind(from)
                    .bind(before)
                    .bind(big(FORGOTTEN_AT_ONCE))
                    .fetch_optional(&mut tx.conn)
                    .await?;
                sqlx::query(FORGET)
                    .bind(from)
                    .bind(last.map_or(before, |last| last.saturating_add(1)))
                    .bind(before)
                    .execute(&mut tx.conn)
                    .await?;
                Ok(last.map(|last| Timestamp::from_millis(last.saturating_add(1))))
            })
        })
        .await
    }
}

/// The age of the last of so many old events, if there are more.
pub(in crate::store) const LAST_OF_MANY: &str =
    "SELECT created_at FROM run_events WHERE created_at >= $1 AND created_at < $2
     ORDER BY created_at LIMIT 1 OFFSET $3";
pub(in crate::store) const FORGET: &str =
    "DELETE FROM run_events WHERE created_at >= $1 AND created_at < $2 AND EXISTS (
       SELECT 1 FROM runs WHERE id = run_id AND state IN ('done', 'failed') AND updated_at < $3)";
