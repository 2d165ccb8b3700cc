//! A thread as people look at it: its state, what is next, what is asked.

use std::sync::Arc;

use serde_json::Value;

use super::{CheckpointRef, Interrupt, Source, State, TaskError, TaskPath};

/// A thread at one of its checkpoints.
///
/// Of the latest checkpoint it is **live**: what finished tasks of the step in progress wrote is
/// in the values, and only what is still open is next. Of an older one it is a **record**: the
/// values as the step began, and all of its tasks with what became of them.
#[derive(Clone, Debug)]
pub struct StateSnapshot {
    pub values: State,
    /// The names of the nodes that are to run next.
    pub next: Vec<Arc<str>>,
    /// None for a thread that does not exist.
    pub checkpoint: Option<CheckpointRef>,
    pub parent: Option<CheckpointRef>,
    pub source: Option<Source>,
    pub step: Option<i64>,
    /// What made the checkpoint.
    pub run: Option<String>,
    /// Where the graphs stand that run this one, outermost first.
    pub parents: Vec<CheckpointRef>,
    /// Milliseconds since 1970.
    pub created_at: Option<i64>,
    /// Sent tasks first, then in the order in which their nodes were added to the graph.
    pub tasks: Vec<TaskSnapshot>,
    /// Of all tasks.
    pub interrupts: Vec<Interrupt>,
}

/// One task of the step after a checkpoint.
#[derive(Clone, Debug)]
pub struct TaskSnapshot {
    pub id: String,
    pub name: Arc<str>,
    pub path: TaskPath,
    pub error: Option<TaskError>,
    pub interrupts: Vec<Interrupt>,
    /// What it wrote, by key, if it is done.
    pub result: Option<Value>,
    /// Where the graph is kept that the node is, if it is one.
    pub namespace: Option<String>,
    /// That graph's own state, if it was asked for and there is one.
    pub inner: Option<Box<StateSnapshot>>,
}

/// Which checkpoints of the history are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryFilter {
    /// How many at most, newest first.
    pub limit: Option<usize>,
    /// Only those before this checkpoint.
    pub before: Option<String>,
    pub source: Option<Source>,
    pub step: Option<i64>,
    pub run: Option<String>,
}
