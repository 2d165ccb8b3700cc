//! The port through which a run is kept. The graph room knows no database: it hands out turns.

use std::collections::BTreeMap;
use std::error::Error;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Checkpoint, Interrupt, TaskRecord};

/// Keeps one thread, with the graphs that its nodes run. The caller makes one for each run, so it
/// knows thread, run and lease.
pub trait Saver: Send + Sync {
    /// A checkpoint with all that hangs on it; none if it does not exist.
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>>;

    /// Keeps turns in their order, in one transaction: all of them or nothing. Graphs that run side by
    /// side may call it at the same time.
    fn save(&self, turns: Vec<Turn>) -> BoxFuture<'_, Result<(), SaveError>>;

    /// All checkpoints of a namespace, newest first.
    fn history<'a>(&'a self, namespace: &'a str)
    -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>>;

    /// Whether turns are kept at all. A run without a saver does not even build them.
    fn keeps(&self) -> bool {
        true
    }
}

/// Which checkpoint of a thread is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct At {
    /// Empty for the root graph.
    pub namespace: String,
    /// None is the latest.
    pub checkpoint: Option<String>,
}

impl At {
    /// The latest of the root graph.
    pub fn latest() -> Self {
        Self::default()
    }

    /// One of the root graph.
    pub fn checkpoint(id: impl Into<String>) -> Self {
        Self { checkpoint: Some(id.into()), ..Self::default() }
    }

    /// The same of the graph that runs under `namespace`.
    #[must_use]
    pub fn within(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }
}

/// What a thread is taken up from.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub checkpoint: Checkpoint,
    /// What was saved of tasks since the checkpoint, one for each task: the latest wins.
    pub tasks: Vec<TaskRecord>,
    /// Answers by interrupt id that were recorded for questions of this checkpoint's tasks. An id
    /// that none of them asked under is refused.
    pub answers: BTreeMap<String, Value>,
}

/// What one superstep changed: to be saved in one transaction, alone or with those that follow it.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// Empty for the root graph. What ends a run, its questions and its status are the root's.
    pub namespace: String,
    /// The new checkpoints of the namespace, oldest first; the last is then its latest. None when
    /// the superstep is not complete (interrupted, failed).
    pub checkpoints: Vec<Checkpoint>,
    /// What is known of tasks of the superstep after the latest checkpoint. Replaces what was
    /// saved under the same task id before.
    pub tasks: Vec<TaskRecord>,
    /// All questions that are open now. Some may have been surfaced before, under the same id.
    pub interrupts: Vec<Interrupt>,
    /// Ids of interrupts whose answers these checkpoints have used up.
    pub consumed: Vec<String>,
    pub status: TurnStatus,
}

/// Where the run stands after a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TurnStatus {
    /// Another superstep follows.
    Continues,
    /// It waits for answers.
    Interrupted,
    /// It stopped at a node of `interrupt_before` or `interrupt_after`.
    Paused,
    /// Nothing is left to do.
    Finished,
    /// A task failed; what its finished siblings wrote is kept.
    Failed,
}

/// Why a saver could not load or save. Nothing of the turns was kept.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SaveError(Box<dyn Error + Send + Sync>);

impl SaveError {
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }

    /// The cause as the saver's own type.
    pub fn downcast_ref<E: Error + 'static>(&self) -> Option<&E> {
        self.0.downcast_ref()
    }
}

/// For runs that nobody has to take up again. Interrupts surface but cannot be answered.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoSaver;

impl Saver for NoSaver {
    fn load<'a>(&'a self, _: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn save(&self, _: Vec<Turn>) -> BoxFuture<'_, Result<(), SaveError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn history<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        Box::pin(std::future::ready(Ok(Vec::new())))
    }

    fn keeps(&self) -> bool {
        false
    }
}
