//! What is kept of a run so that another process can go on with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SendTo, StateValue, Target, TaskRecord};

/// The state of a thread after a superstep, and what is to run next. The plain-data form of
/// everything a run needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// 32 lower-case hex digits: a hash of parent, run and step. Nothing random goes into it, so
    /// two processes that make the same step make the same id; it is unique because the caller's
    /// run ids are.
    pub id: String,
    /// The checkpoint this one follows; none at the start of a thread.
    pub parent: Option<String>,
    /// Empty for the root graph; `NODE:TASK` for each graph that a task runs, joined by `|`.
    pub namespace: String,
    /// Where the graphs that run this one stand, outermost first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parents: Vec<CheckpointRef>,
    /// The run that made it; in a graph that a task runs, the task.
    pub run: String,
    /// Counts over all runs of the thread. The first input makes −1, its distribution 0, the first
    /// nodes run in 1.
    pub step: i64,
    /// What made it.
    pub source: Source,
    /// When it was made, in milliseconds since 1970.
    pub created_at: i64,
    /// The values of the state keys that have one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<Arc<str>, StateValue>,
    /// How this checkpoint's values differ from its parent's, so that a saver can store what
    /// changed and no more.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed: BTreeMap<Arc<str>, Change>,
    /// An input that is still to be taken at the entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entering: Option<Value>,
    /// Nodes that run next because an edge, a route or a jump leads to them, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub due: Vec<Arc<str>>,
    /// Tasks that run next with an argument of their own, in the order in which they were sent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sends: Vec<SendTo>,
    /// Nodes that run once nothing else is due, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deferred: Vec<Arc<str>>,
    /// For each join that has been reached by some, but not all, of its nodes: by which.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub joins: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
    /// The nodes that edges led to in the last superstep that had such, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ran: Vec<Arc<str>>,
    /// The tasks whose results this checkpoint is made of, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tasks: Vec<TaskRecord>,
}

impl Default for Checkpoint {
    /// Of a thread before its first input.
    fn default() -> Self {
        Self {
            id: String::new(),
            parent: None,
            namespace: String::new(),
            parents: Vec::new(),
            run: String::new(),
            step: -2,
            source: Source::Input,
            created_at: 0,
            values: BTreeMap::new(),
            changed: BTreeMap::new(),
            entering: None,
            due: Vec::new(),
            sends: Vec::new(),
            deferred: Vec::new(),
            joins: BTreeMap::new(),
            ran: Vec::new(),
            tasks: Vec::new(),
        }
    }
}

impl Checkpoint {
    /// Where this checkpoint is found.
    pub fn reference(&self) -> CheckpointRef {
        CheckpointRef { id: self.id.clone(), namespace: self.namespace.clone() }
    }

    /// Where the one before it is found.
    pub fn parent_reference(&self) -> Option<CheckpointRef> {
        let namespace = self.namespace.clone();
        self.parent.clone().map(|id| CheckpointRef { id, namespace })
    }

    /// Whether something is to run next.
    pub fn is_pending(&self) -> bool {
        self.entering.is_some() || !self.due.is_empty() || !self.sends.is_empty()
    }
}

/// A checkpoint of a thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckpointRef {
    pub id: String,
    /// Empty for the root graph.
    pub namespace: String,
}

/// What made a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// New input from outside.
    Input,
    /// A superstep.
    Loop,
    /// A change from outside, as if a node had made it.
    Update,
    /// A copy of an older checkpoint, to go on from there.
    Fork,
}

impl Source {
    /// LangGraph's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Input => "input",
            Self::Loop => "loop",
            Self::Update => "update",
            Self::Fork => "fork",
        }
    }
}

/// How a key changed in one superstep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It has a new value.
    Replaced,
    /// Entries were appended to the `from` that were there.
    Appended { from: usize },
    /// It has no value any more.
    Removed,
}

impl Change {
    /// What this change and a later one amount to.
    pub(super) fn then(self, later: Self) -> Self {
        match (self, later) {
            (Self::Appended { from }, Self::Appended { .. }) => Self::Appended { from },
            (Self::Replaced | Self::Removed, Self::Appended { .. }) => Self::Replaced,
            (_, Self::Replaced) => Self::Replaced,
            (_, Self::Removed) => Self::Removed,
        }
    }
}

/// The task id under which the writes and jumps of a command from outside are kept.
pub(super) const COMMAND: &str = "command";

/// What a command from outside wrote and where it leads.
pub(super) fn command(targets: Vec<Target>, update: super::Update) -> TaskRecord {
    TaskRecord {
        task: COMMAND.to_owned(),
        done: Some(super::Done { update, targets, by: super::By::Node }),
        ..TaskRecord::default()
    }
}
