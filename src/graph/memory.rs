//! A saver in memory, for tests and for runs that need not outlive the process.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Checkpoint, Interrupt, SaveError, Saver, Snapshot, TaskWrites, Turn, TurnStatus};

/// Keeps one thread in memory, by the rules that any saver keeps.
#[derive(Debug, Default)]
pub struct MemorySaver(Mutex<Kept>);

/// All that is kept of a thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    /// Oldest first.
    pub checkpoints: Vec<Checkpoint>,
    /// What hangs on the latest checkpoint, by task id.
    pub writes: BTreeMap<String, TaskWrites>,
    /// The questions of the latest checkpoint's tasks, by id.
    pub interrupts: BTreeMap<String, Interrupt>,
    /// Answers to those questions.
    pub answers: BTreeMap<String, Value>,
    /// Ids of all interrupts whose answers a checkpoint has used up.
    pub consumed: Vec<String>,
    /// One for each turn, oldest first.
    pub statuses: Vec<TurnStatus>,
}

impl MemorySaver {
    /// Takes up what another saver kept.
    pub fn of(kept: Kept) -> Self {
        Self(Mutex::new(kept))
    }

    /// A copy of all that is kept.
    pub fn kept(&self) -> Kept {
        self.lock().clone()
    }

    /// Records the answer to an open question, for the next time the run is continued. Says
    /// whether it was recorded: not if the id is unknown or has an answer.
    #[must_use]
    pub fn answer(&self, id: &str, answer: impl Into<Value>) -> bool {
        let mut kept = self.lock();
        let open = kept.interrupts.contains_key(id) && !kept.answers.contains_key(id);
        if open {
            kept.answers.insert(id.to_owned(), answer.into());
        }
        open
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Saver for MemorySaver {
    fn load(&self) -> BoxFuture<'_, Result<Option<Snapshot>, SaveError>> {
        let kept = self.lock();
        let snapshot = kept.checkpoints.last().map(|checkpoint| Snapshot {
            checkpoint: checkpoint.clone(),
            writes: kept.writes.values().cloned().collect(),
            answers: kept.answers.clone(),
        });
        Box::pin(std::future::ready(Ok(snapshot)))
    }

    fn save(&self, turn: Turn) -> BoxFuture<'_, Result<(), SaveError>> {
        let Turn { checkpoint, writes, interrupts, consumed, status } = turn;
        let mut kept = self.lock();
        if let Some(checkpoint) = checkpoint {
            kept.checkpoints.push(checkpoint);
            kept.writes.clear();
            kept.interrupts.clear();
            kept.answers.clear();
        }
        kept.writes.extend(writes.into_iter().map(|task| (task.task.clone(), task)));
        kept.interrupts.extend(interrupts.into_iter().map(|open| (open.id.clone(), open)));
        kept.consumed.extend(consumed);
        kept.statuses.push(status);
        Box::pin(std::future::ready(Ok(())))
    }
}
