//! The port through which a run is kept. The graph room knows no database: it hands out turns.

use std::collections::BTreeMap;
use std::error::Error;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Checkpoint, Interrupt, TaskWrites};

/// Keeps one thread. The caller makes one for each run, so it knows thread, run and lease.
pub trait Saver: Send + Sync {
    /// The latest checkpoint of the thread with all that hangs on it; none for a fresh thread.
    fn load(&self) -> BoxFuture<'_, Result<Option<Snapshot>, SaveError>>;

    /// Keeps one turn: all of it or nothing. The run goes on only after this returned.
    fn save(&self, turn: Turn) -> BoxFuture<'_, Result<(), SaveError>>;

    /// Whether turns are kept at all. A run without a saver does not even build them.
    fn keeps(&self) -> bool {
        true
    }
}

/// What a thread is taken up from.
#[derive(Clone, Debug, PartialEq)]
pub struct Snapshot {
    pub checkpoint: Checkpoint,
    /// What was saved of tasks since the checkpoint, one for each task: the latest wins.
    pub writes: Vec<TaskWrites>,
    /// Answers by interrupt id that were recorded for questions of this checkpoint's tasks. An id
    /// that none of them asked under is refused.
    pub answers: BTreeMap<String, Value>,
}

/// What one superstep changed: to be saved in one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn {
    /// The new latest checkpoint. None when the superstep is not complete (interrupted, failed):
    /// `writes` then hang on the checkpoint that was latest before.
    pub checkpoint: Option<Checkpoint>,
    /// What is known of tasks of the incomplete superstep. Replaces what was saved under the same
    /// task id before.
    pub writes: Vec<TaskWrites>,
    /// All questions that are open now. Some may have been surfaced before, under the same id.
    pub interrupts: Vec<Interrupt>,
    /// Ids of interrupts whose answers this checkpoint has used up.
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
    /// It stopped before a node of `interrupt_before`.
    Paused,
    /// Nothing is left to do.
    Finished,
    /// A task failed; what its finished siblings wrote is kept.
    Failed,
}

/// Why a saver could not load or save. Nothing of the turn was kept.
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
    fn load(&self) -> BoxFuture<'_, Result<Option<Snapshot>, SaveError>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn save(&self, _: Turn) -> BoxFuture<'_, Result<(), SaveError>> {
        Box::pin(std::future::ready(Ok(())))
    }

    fn keeps(&self) -> bool {
        false
    }
}
