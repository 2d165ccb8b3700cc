//! What a run remembers: its checkpoint, the writes of an unfinished superstep, the answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{NewNotice, Question, Store, StoreError};
use crate::base::RunId;

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
    pub body: Value,
}

/// What a run goes on from.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredSnapshot {
    /// The newest of the conversation.
    pub checkpoint: StoredCheckpoint,
    /// The finished tasks of the superstep after it.
    pub writes: Vec<Value>,
    /// Answers to this run's interrupts that no checkpoint has consumed yet.
    pub answers: BTreeMap<String, Value>,
}

/// A checkpoint to keep.
#[derive(Clone, Debug)]
pub struct NewCheckpoint {
    pub id: String,
    pub parent: Option<String>,
    pub namespace: String,
    pub step: i64,
    pub body: Value,
}

/// A finished task of a superstep that is not finished.
#[derive(Clone, Debug)]
pub struct NewWrites {
    pub checkpoint: String,
    pub task: String,
    pub body: Value,
}

/// How a run's turn ends it, or suspends it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It waits until every question has an answer; with none open it is queued again at once.
    Waiting,
    Done,
    Failed { error: String },
}

/// Everything that one turn of a run changes.
#[derive(Clone, Debug)]
pub struct SaveTurn {
    pub run: RunId,
    pub epoch: u64,
    pub checkpoint: Option<NewCheckpoint>,
    pub writes: Vec<NewWrites>,
    /// The interrupts whose answers this turn has used.
    pub consumed: Vec<String>,
    pub questions: Vec<Question>,
    pub notices: Vec<NewNotice>,
    /// Absent while the run goes on.
    pub ending: Option<Ending>,
}

impl Store {
    /// What the run goes on from; nothing when its conversation has no checkpoint yet.
    pub async fn load_snapshot(&self, run: &RunId) -> Result<Option<StoredSnapshot>, StoreError> {
        todo!("{run}")
    }

    /// Keeps one turn whole: checkpoint, writes, consumed answers, questions with all that each
    /// entails, notices and the run's new state.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the epoch is no longer the run's.
    pub async fn save_turn(&self, turn: SaveTurn) -> Result<(), StoreError> {
        todo!("{turn:?}")
    }
}
