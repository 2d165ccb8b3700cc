//! Conversations in which nothing was said for long: what was said, and what agents remember of it.
//!
//! A conversation is forgotten whole. As long as it goes on, its agent needs what was said before.

use super::records::{self, Rest};
use super::{Batch, Passed, Told, beginning, executions, tell};
use crate::approval::Requester;
use crate::base::{Timestamp, WorkspaceId};
use crate::store::rows::{from_json, json};
use crate::store::{RunInput, Store, StoreError, Tx};

impl Store {
    /// Reduces one conversation whose last run ended before this, if there is one.
    pub async fn reduce_conversation(
        &self,
        workspace: &WorkspaceId,
        before: Timestamp,
        after: Option<Passed>,
    ) -> Result<Batch, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let old = old(tx, &workspace, before, after.unwrap_or_else(beginning)).await?;
                let Some((next, thread)) = old else {
                    return Ok(Batch { reduced: 0, next: None });
                };
                let (rests, reduced) = match reduce(tx, &workspace, &thread).await {
                    // What somebody may have to look at stays as it is.
                    Err(error @ StoreError::Damaged { .. }) => {
                        tracing::error!(thread, %error, "is kept whole");
                        (Vec::new(), 0)
                    }
                    reduced => reduced?,
                };
                let told = Told { workspace: &workspace, what: "runs", count: reduced, before };
                tell(tx, told, rests).await?;
                Ok(Batch { reduced, next: Some(next) })
            })
        })
        .await
    }
}

/// The thread that has been quiet for longest. Nothing of it may be open, owed, or still to be looked
/// at by somebody.
pub(super) const OLD: &str = "SELECT updated_at, id, thread_id FROM runs
    WHERE workspace = $1 AND state IN ('done', 'failed') AND reduced_at IS NULL
      AND updated_at < $2 AND (updated_at > $3 OR (updated_at = $3 AND id > $4))
      AND NOT EXISTS (
        SELECT 1 FROM runs AS other WHERE other.thread_id = runs.thread_id
          AND (other.state NOT IN ('done', 'failed') OR other.updated_at >= $2))
      AND NOT EXISTS (
        SELECT 1 FROM executions JOIN runs AS other ON other.id = executions.run_id
        WHERE other.thread_id = runs.thread_id AND (
          ended_at IS NULL OR (executions.state = 'unknown' AND settled IS NULL)))
      AND NOT EXISTS (
        SELECT 1 FROM notices JOIN runs AS other ON other.id = notices.run_id
        WHERE other.thread_id = runs.thread_id AND notices.state = 'owed')
    ORDER BY updated_at, id LIMIT 1";

async fn old(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    before: Timestamp,
    after: Passed,
) -> Result<Option<(Passed, String)>, StoreError> {
    let old: Option<(i64, String, String)> = sqlx::query_as(OLD)
        .bind(workspace.as_str())
        .bind(before.as_millis())
        .bind(after.at)
        .bind(after.id)
        .fetch_optional(&mut tx.conn)
        .await?;
    Ok(old.map(|(at, id, thread)| (Passed { at, id }, thread)))
}

/// Reduces a conversation whole. Gives back what is left of its records, and how many runs it had. What
/// is damaged is found before anything is written.
pub(in crate::store) async fn reduce(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    thread: &str,
) -> Result<(Vec<Rest>, usize), StoreError> {
    let runs: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM runs WHERE thread_id = $1 AND reduced_at IS NULL ORDER BY created_at, id",
    )
    .bind(thread)
    .fetch_all(&mut tx.conn)
    .await?;
    let count = runs.len();
    let mut found = Vec::with_capacity(count);
    for run in runs {
        found.push(reduced(tx, workspace, run).await?);
    }
    let mut rests = Vec::new();
    for run in found {
        rests.extend(run.write(tx).await?);
    }
    forget_memory(tx, thread).await?;
    Ok((rests, count))
}

/// A run, and what is to be left of it.
struct Reduced {
    id: String,
    input: String,
    requester: Option<String>,
    rests: Vec<Rest>,
    allowed: Vec<executions::Reduced>,
}

async fn reduced(tx: &mut Tx, workspace: &WorkspaceId, id: String) -> Result<Reduced, StoreError> {
    let (input, requester): (String, Option<String>) =
        sqlx::query_as("SELECT input, requester FROM runs WHERE id = $1")
            .bind(&id)
            .fetch_one(&mut tx.conn)
            .await?;
    let input: RunInput = from_json("run input", &input)?;
    let requester = requester.map(|text| from_json::<Requester>("requester", &text)).transpose()?;
    Ok(Reduced {
        input: json(&RunInput { text: String::new(), ..input })?,
        requester: requester.map(|requester| json(&requester.reduced())).transpose()?,
        rests: records::of(tx, workspace, &id).await?,
        allowed: executions::allowed_in(tx, workspace, &id).await?,
        id,
    })
}

impl Reduced {
    /// Gives back what is left of its records, and of those of what it did without asking anybody.
    async fn write(self, tx: &mut Tx) -> Result<Vec<Rest>, StoreError> {
        sqlx::query(
            "UPDATE runs SET input = $2, requester = $3, error = NULL, reduced_at = $4
             WHERE id = $1",
        )
        .bind(&self.id)
        .bind(self.input)
        .bind(self.requester)
        .bind(tx.now.as_millis())
        .execute(&mut tx.conn)
        .await?;
        for statement in [
            // Whether there is an answer says what became of the question.
            "UPDATE interrupts SET value = '{}', answer = CASE WHEN answer IS NOT NULL THEN '{}' END
             WHERE run_id = $1",
            "DELETE FROM run_events WHERE run_id = $1",
            "DELETE FROM shows WHERE run_id = $1",
        ] {
            sqlx::query(statement).bind(&self.id).execute(&mut tx.conn).await?;
        }
        let mut rests = self.rests;
        for execution in self.allowed {
            rests.extend(execution.write(tx).await?);
        }
        Ok(rests)
    }
}

/// What the agent remembers of a conversation.
async fn forget_memory(tx: &mut Tx, thread: &str) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM pending_writes WHERE thread_id = $1",
        "DELETE FROM state_values WHERE thread_id = $1",
        "DELETE FROM checkpoints WHERE thread_id = $1",
    ] {
        sqlx::query(statement).bind(thread).execute(&mut tx.conn).await?;
    }
    Ok(())
}
