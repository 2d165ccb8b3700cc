//! What a run remembers: its checkpoint, the writes of an unfinished superstep, the answers.

mod form;
mod load;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde_json::Value;

use super::rows::{big, json};
use super::runs::{self, Held};
use super::{NewNotice, Question, Store, StoreError, Tx, answers, events, notices, questions};
use crate::base::RunId;
use crate::base::failpoint::{self, Point};
use crate::stream::{ErrorCode, RunEvent};

/// A checkpoint, opaque to the store but for where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredCheckpoint {
    pub id: String,
    /// The run that wrote it: another one than the current when a conversation goes on.
    pub run: RunId,
    pub parent: Option<String>,
    /// Empty for the root graph.
    pub namespace: String,
    pub step: i64,
    /// Everything but the values.
    pub body: Value,
    /// The values of the state keys that have one and ever changed.
    pub values: BTreeMap<String, Value>,
}

/// What a run goes on from, or what its history shows.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    pub checkpoint: StoredCheckpoint,
    /// What is known of the tasks of the superstep after it.
    pub writes: Vec<Value>,
    /// Answers to this run's interrupts that no checkpoint has consumed yet; none for a checkpoint
    /// that is not the newest of the root graph.
    pub answers: BTreeMap<String, Value>,
}

/// A checkpoint to keep.
#[derive(Clone, Debug)]
pub struct NewCheckpoint {
    pub id: String,
    pub parent: Option<String>,
    pub namespace: String,
    pub step: i64,
    /// Everything but the values.
    pub body: Value,
    /// The state keys that have a value.
    pub keys: Vec<String>,
    /// How the values differ from those of the newest checkpoint before it.
    pub changes: Vec<NewValue>,
}

/// A new value of a state key, or what was appended to it.
#[derive(Clone, Debug)]
pub struct NewValue {
    pub key: String,
    /// How many entries the list under the key had before, if these are further ones; zero if
    /// this is the whole value.
    pub start: usize,
    pub value: Value,
}

/// What is known of a task of an unfinished superstep. It hangs on the newest checkpoint of the
/// turn's namespace and replaces what was saved there under the same task.
#[derive(Clone, Debug)]
pub struct NewWrites {
    pub task: String,
    pub body: Value,
}

/// How a run's turn ends it, or suspends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It waits until every question has an answer; with none open it is queued again at once.
    Waiting,
    Done,
    Failed {
        error: String,
    },
}

/// Everything that one turn of a run changes.
#[derive(Clone, Debug)]
pub struct SaveTurn {
    /// Of the checkpoints and writes; empty for the root graph.
    pub namespace: String,
    /// Oldest first.
    pub checkpoints: Vec<NewCheckpoint>,
    pub writes: Vec<NewWrites>,
    /// The interrupts whose answers this turn has used.
    pub consumed: Vec<String>,
    pub questions: Vec<Question>,
    pub notices: Vec<NewNotice>,
    /// What the run has told since its last turn.
    pub events: Vec<RunEvent>,
    /// Absent while the run goes on.
    pub ending: Option<Ending>,
}

impl Store {
    /// A checkpoint of the run's conversation, the newest unless one is named; nothing when there
    /// is none.
    pub async fn load_snapshot(
        &self,
        run: &RunId,
        namespace: &str,
        checkpoint: Option<&str>,
    ) -> Result<Option<StoredSnapshot>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        load::one(&mut snapshot, run, namespace, checkpoint).await
    }

    /// All checkpoints of the run's conversation in a namespace, newest first.
    pub async fn load_history(
        &self,
        run: &RunId,
        namespace: &str,
    ) -> Result<Vec<StoredSnapshot>, StoreError> {
        let mut snapshot = self.snapshot().await?;
        load::all(&mut snapshot, run, namespace).await
    }

    /// Keeps turns of a run in their order, all of them or none, each whole: checkpoint, writes,
    /// consumed answers, questions with all that each entails, notices and the run's new state.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the epoch is no longer the run's.
    pub async fn save_turns(
        &self,
        run: &RunId,
        epoch: u64,
        turns: Vec<SaveTurn>,
    ) -> Result<(), StoreError> {
        let id = run.clone();
        self.write(move |tx| Box::pin(async move { save_all(tx, &id, epoch, turns).await })).await
    }
}

/// A run that turns are saved of.
struct Saved {
    run: Held,
    /// The number of its conversation's newest checkpoint, once it was looked up.
    newest: Option<i64>,
}

async fn save_all(
    tx: &mut Tx,
    id: &RunId,
    epoch: u64,
    turns: Vec<SaveTurn>,
) -> Result<(), StoreError> {
    let mut held = None;
    for turn in turns {
        let mut saved = match held.take() {
            Some(saved) => saved,
            None => Saved { run: runs::hold(tx, id, epoch).await?, newest: None },
        };
        let goes_on = turn.ending.is_none();
        save(tx, &mut saved, turn).await?;
        // What ends the run lets go of it, so that nothing can follow.
        held = goes_on.then_some(saved);
    }
    Ok(())
}

async fn save(tx: &mut Tx, saved: &mut Saved, turn: SaveTurn) -> Result<(), StoreError> {
    let run = &saved.run;
    for checkpoint in &turn.checkpoints {
        let seq = 1 + match saved.newest {
            Some(newest) => newest,
            None => newest_of(tx, run).await?,
        };
        keep(tx, run, seq, checkpoint).await?;
        saved.newest = Some(seq);
    }
    if !turn.writes.is_empty() {
        let newest: i64 = sqlx::query_scalar(
            "SELECT seq FROM checkpoints WHERE thread_id = $1 AND namespace = $2
             ORDER BY seq DESC LIMIT 1",
        )
        .bind(run.thread.as_str())
        .bind(&turn.namespace)
        .fetch_one(&mut tx.conn)
        .await?;
        for writes in &turn.writes {
            hang_on(tx, run, newest, writes).await?;
        }
    }
    events::tell(tx, &run.workspace, &run.id, turn.events).await?;
    for interrupt in &turn.consumed {
        consume(tx, run, interrupt).await?;
    }
    for question in turn.questions {
        questions::ask(tx, run, question).await?;
    }
    for notice in &turn.notices {
        notices::owe(tx, notice).await?;
    }
    match turn.ending {
        None => {}
        Some(Ending::Waiting) => suspend(tx, run).await?,
        Some(Ending::Done) => runs::end(tx, run, Ok(())).await?,
        Some(Ending::Failed { error }) => {
            runs::end(tx, run, Err((ErrorCode::RunFailed, &error))).await?;
        }
    }
    failpoint::reach(Point::SuperstepWritten);
    Ok(())
}

async fn newest_of(tx: &mut Tx, run: &Held) -> Result<i64, StoreError> {
    let newest =
        sqlx::query_scalar("SELECT COALESCE(MAX(seq), 0) FROM checkpoints WHERE thread_id = $1")
            .bind(run.thread.as_str())
            .fetch_one(&mut tx.conn)
            .await?;
    Ok(newest)
}

async fn keep(
    tx: &mut Tx,
    run: &Held,
    seq: i64,
    checkpoint: &NewCheckpoint,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO checkpoints
           (thread_id, seq, id, workspace, run_id, namespace, parent, step, keys, body, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
    )
    .bind(run.thread.as_str())
    .bind(seq)
    .bind(&checkpoint.id)
    .bind(run.workspace.as_str())
    .bind(run.id.as_str())
    .bind(&checkpoint.namespace)
    .bind(checkpoint.parent.as_deref())
    .bind(checkpoint.step)
    .bind(json(&checkpoint.keys)?)
    .bind(checkpoint.body.to_string())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    for change in &checkpoint.changes {
        sqlx::query(
            "INSERT INTO state_values
               (thread_id, namespace, key, seq, workspace, start, value)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(run.thread.as_str())
        .bind(&checkpoint.namespace)
        .bind(&change.key)
        .bind(seq)
        .bind(run.workspace.as_str())
        .bind(big(change.start))
        .bind(change.value.to_string())
        .execute(&mut tx.conn)
        .await?;
    }
    Ok(())
}

async fn hang_on(
    tx: &mut Tx,
    run: &Held,
    checkpoint: i64,
    writes: &NewWrites,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO pending_writes (thread_id, checkpoint, task_id, workspace, body)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (thread_id, checkpoint, task_id) DO UPDATE SET body = excluded.body",
    )
    .bind(run.thread.as_str())
    .bind(checkpoint)
    .bind(&writes.task)
    .bind(run.workspace.as_str())
    .bind(writes.body.to_string())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// An answer is used once, in the transaction that keeps what came of it.
async fn consume(tx: &mut Tx, run: &Held, interrupt: &str) -> Result<(), StoreError> {
    let consumed = sqlx::query(
        "UPDATE interrupts SET consumed_at = $3
         WHERE run_id = $1 AND id = $2 AND answer IS NOT NULL AND consumed_at IS NULL",
    )
    .bind(run.id.as_str())
    .bind(interrupt)
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    match consumed.rows_affected() {
        1 => Ok(()),
        _ => Err(StoreError::Conflict(interrupt.to_owned())),
    }
}

/// The run has said all it can: it goes on when its last question is answered.
async fn suspend(tx: &mut Tx, run: &Held) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE runs SET state = 'waiting', owner = NULL, lease_until = NULL, error = NULL,
                attempts = 0, updated_at = $2
         WHERE id = $1",
    )
    .bind(run.id.as_str())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    answers::wake(tx, &run.id).await?;
    Ok(())
}
