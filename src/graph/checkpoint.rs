//! What is kept of a run so that another process can go on with it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SendTo, StateValue, Target, Update};

/// The state of a thread after a superstep, and what is to run next. The plain-data form of
/// everything a run needs; its JSON is what a saver stores.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// 32 lower-case hex digits: a hash of parent, run and step. Nothing random goes into it, so
    /// two processes that make the same step make the same id; it is unique because the caller's
    /// run ids are.
    pub id: String,
    /// The checkpoint this one follows; none at the start of a thread.
    pub parent: Option<String>,
    /// Empty for the root graph.
    pub namespace: String,
    /// The run that made it.
    pub run: String,
    /// Counts over all runs of the thread. The first input makes 0, the first nodes run in 1; a
    /// later input takes two numbers (LangGraph counts the input and its distribution apart).
    pub step: i64,
    /// What made it.
    pub source: Source,
    /// The values of the state keys that have one.
    pub values: BTreeMap<Arc<str>, StateValue>,
    /// How this checkpoint's values differ from its parent's, so that a saver can store what
    /// changed and no more.
    pub changed: BTreeMap<Arc<str>, Change>,
    /// Nodes that run next because an edge, a route or a jump leads to them, by name.
    pub due: Vec<Arc<str>>,
    /// Tasks that run next with an argument of their own, in the order in which they were sent.
    pub sends: Vec<SendTo>,
    /// For each join that has been reached by some, but not all, of its nodes: by which.
    pub joins: BTreeMap<Arc<str>, BTreeSet<Arc<str>>>,
}

/// What made a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// New input from outside.
    Input,
    /// A superstep of nodes.
    Superstep,
}

/// How a key changed in one superstep.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It has a new value.
    Replaced,
    /// Entries were appended to the `from` that were there.
    Appended { from: usize },
}

/// What is known of one task of a superstep that is not complete.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskWrites {
    /// The task's id: 32 lower-case hex digits, the same whenever the task is planned from the
    /// same checkpoint.
    pub task: String,
    /// The name of its node.
    pub node: Arc<str>,
    /// How far it came.
    pub outcome: TaskOutcome,
}

/// How far a task came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskOutcome {
    /// It is done and does not run again.
    Finished {
        update: Update,
        /// Where its edges, routes and jumps lead.
        targets: Vec<Target>,
        /// Ids of the interrupts whose answers it used.
        answered: Vec<String>,
    },
    /// It waits for at least one answer. All its questions so far, in order.
    Asking { questions: Vec<Question> },
    /// It failed after it had got answers. They are kept for the next try, and may be given anew.
    Failed { questions: Vec<Question> },
}

/// One question of an unfinished task, and its answer if it has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The interrupt's id.
    pub id: String,
    pub value: Value,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "present")]
    pub answer: Option<Value>,
}

/// Keeps `null` as an answer apart from no answer.
mod present {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use serde_json::Value;

    pub(super) fn serialize<S: Serializer>(
        answer: &Option<Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        answer.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Value>, D::Error> {
        Value::deserialize(deserializer).map(Some)
    }
}

/// An open question, as it is surfaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interrupt {
    /// 32 lower-case hex digits of SHA-256 over namespace, task and position: asking again gives
    /// the same id.
    pub id: String,
    /// The task that asks.
    pub task: String,
    /// The name of its node.
    pub node: Arc<str>,
    /// What is asked.
    pub value: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_an_answer_and_survives_being_stored() {
        for answer in [None, Some(Value::Null), Some(Value::Bool(false))] {
            let question = Question { id: "q".into(), value: Value::Null, answer };
            let stored = serde_json::to_string(&question).expect("a question is plain data");
            let loaded: Question = serde_json::from_str(&stored).expect("it reads its own form");
            assert_eq!(loaded, question);
        }
    }
}
