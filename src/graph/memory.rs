//! A saver in memory, for tests and for runs that need not outlive the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{At, Checkpoint, Interrupt, SaveError, Saver, Snapshot, TaskRecord, Turn, TurnStatus};

/// Keeps one thread in memory, by the rules that any saver keeps. Clones are the same thread.
#[derive(Clone, Debug, Default)]
pub struct MemorySaver(Arc<Mutex<Kept>>);

/// All that is kept of a thread.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Kept {
    /// Of all namespaces, oldest first.
    pub checkpoints: Vec<Checkpoint>,
    /// What hangs on each checkpoint, by its id and the task's.
    pub tasks: BTreeMap<String, BTreeMap<String, TaskRecord>>,
    /// The open and answered questions of the latest checkpoint's tasks, by id.
    pub interrupts: BTreeMap<String, Interrupt>,
    /// Answers to those questions.
    pub answers: BTreeMap<String, Value>,
    /// Ids of all interrupts whose answers a checkpoint has used up.
    pub consumed: Vec<String>,
    /// One for each turn of the root graph, oldest first.
    pub statuses: Vec<TurnStatus>,
}

impl Kept {
    /// The latest checkpoint of a namespace.
    pub fn latest(&self, namespace: &str) -> Option<&Checkpoint> {
        self.checkpoints.iter().rfind(|checkpoint| checkpoint.namespace == namespace)
    }

    fn take(&mut self, turn: Turn) {
        let Turn { namespace, checkpoints, tasks, interrupts, consumed, status } = turn;
        let root = namespace.is_empty();
        if root && !checkpoints.is_empty() {
            self.interrupts.clear();
            self.answers.clear();
        }
        self.checkpoints.extend(checkpoints);
        if let Some(latest) = self.latest(&namespace).map(|latest| latest.id.clone())
            && !tasks.is_empty()
        {
            let hanging = self.tasks.entry(latest).or_default();
            hanging.extend(tasks.into_iter().map(|task| (task.task.clone(), task)));
        }
        if root {
            self.interrupts.extend(interrupts.into_iter().map(|open| (open.id.clone(), open)));
            self.consumed.extend(consumed);
            self.statuses.push(status);
        }
    }

    fn snapshot(&self, checkpoint: &Checkpoint, answers: &BTreeMap<String, Value>) -> Snapshot {
        let tasks = self.tasks.get(&checkpoint.id).into_iter().flatten();
        Snapshot {
            checkpoint: checkpoint.clone(),
            tasks: tasks.map(|(_, task)| task.clone()).collect(),
            answers: answers.clone(),
        }
    }
}

impl MemorySaver {
    /// Takes up what another saver kept.
    pub fn of(kept: Kept) -> Self {
        Self(Arc::new(Mutex::new(kept)))
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
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        let kept = self.lock();
        let (none, latest) = (BTreeMap::new(), kept.latest(&at.namespace));
        let found = match &at.checkpoint {
            None => latest.map(|checkpoint| (checkpoint, &kept.answers)),
            Some(id) => {
                let mut all = kept.checkpoints.iter().rev();
                let found = all.find(|c| c.id == *id && c.namespace == at.namespace);
                found.map(|found| match latest {
                    Some(latest) if latest.id == *id => (found, &kept.answers),
                    Some(_) | None => (found, &none),
                })
            }
        };
        let snapshot = found.map(|(checkpoint, answers)| {
            // The answers are to questions that surfaced, and those are the root's.
            let answers = if at.namespace.is_empty() { answers } else { &none };
            kept.snapshot(checkpoint, answers)
        });
        Box::pin(std::future::ready(Ok(snapshot)))
    }

    fn save(&self, turns: Vec<Turn>) -> BoxFuture<'_, Result<(), SaveError>> {
        let mut kept = self.lock();
        for turn in turns {
            kept.take(turn);
        }
        Box::pin(std::future::ready(Ok(())))
    }

    fn history<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        let (kept, none) = (self.lock(), BTreeMap::new());
        let within = kept.checkpoints.iter().rev().filter(|c| c.namespace == namespace);
        let history = within.map(|checkpoint| kept.snapshot(checkpoint, &none)).collect();
        Box::pin(std::future::ready(Ok(history)))
    }
}
