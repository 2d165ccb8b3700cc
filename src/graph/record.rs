//! What is kept of one task: its result, its questions, its failure, its finished steps.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Target, TaskError, Update};

/// What is known of one task of a superstep. While the superstep is not complete it hangs on the
/// checkpoint that the task was planned from, so that finished work is not done again; once it is,
/// the checkpoint that follows holds it, for those who read the history.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TaskRecord {
    /// The task's id: 32 lower-case hex digits, the same whenever the task is planned from the
    /// same checkpoint.
    pub task: String,
    /// The name of its node.
    pub node: Arc<str>,
    /// Its place among the tasks that were sent for the superstep; none if an edge led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<usize>,
    /// All its questions so far, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub questions: Vec<Question>,
    /// Questions of graphs that it runs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inner: Vec<Question>,
    /// What it finished by [`Context::step`](super::Context::step), in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<(String, Value)>,
    /// Its last failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<TaskError>,
    /// The failure that its handler stands in for: only the handler starts again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handling: Option<TaskError>,
    /// A graph that it runs is paused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
    /// Its result, once it is done; then it does not run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<Done>,
}

/// The result of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Done {
    pub update: Update,
    /// Where its routes and jumps lead.
    pub targets: Vec<Target>,
    /// Whose result it is.
    #[serde(default, skip_serializing_if = "By::is_node")]
    pub by: By,
}

/// Who brought a task to its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// The node: its edges fire.
    #[default]
    Node,
    /// The node's error handler: they do not.
    Handler,
}

impl By {
    fn is_node(&self) -> bool {
        matches!(self, Self::Node)
    }
}

impl TaskRecord {
    /// The ids of the questions whose answers it used.
    pub(super) fn answered(&self) -> impl Iterator<Item = &str> {
        let answered = self.all().filter(|question| question.answer.is_some());
        answered.map(|question| question.id.as_str())
    }

    /// The questions without an answer.
    pub(super) fn open(&self) -> impl Iterator<Item = &Question> {
        self.all().filter(|question| question.answer.is_none())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter().chain(&self.inner)
    }

    /// Whether it is worth keeping beside a failure.
    pub(super) fn is_worth_keeping(&self) -> bool {
        self.done.is_some()
            || self.error.is_some()
            || !self.steps.is_empty()
            || self.all().next().is_some()
    }

    /// What it wrote, by key, as it is shown; of several writes to one key, all of them.
    pub(super) fn result(&self) -> Option<Value> {
        self.done.as_ref().map(|done| done.update.shown())
    }

    /// Whether an error handler brought it to its end.
    pub(super) fn is_handled(&self) -> bool {
        self.done.as_ref().is_some_and(|done| done.by == By::Handler)
    }

    /// The questions that its last try left open, as they are surfaced.
    pub(super) fn interrupts(&self) -> Vec<Interrupt> {
        self.open().map(|question| self.interrupt(question)).collect()
    }

    /// What is known of the task after this record followed an earlier one: a result stays, and so
    /// do questions unless there are new ones.
    pub(super) fn after(mut self, earlier: Self) -> Self {
        if earlier.done.is_some() {
            return earlier;
        }
        if self.questions.is_empty() && self.inner.is_empty() {
            self.questions = earlier.questions;
            self.inner = earlier.inner;
        }
        self
    }

    /// The questions that are open, or, after a failure, the last one, which may be answered anew.
    pub(super) fn answerable(&self) -> Vec<Interrupt> {
        match (&self.error, &self.done) {
            (Some(_), None) => self.last_asked(),
            _ => self.interrupts(),
        }
    }

    /// The last questions it asked, answered or not: what a reader of the history sees.
    pub(super) fn last_asked(&self) -> Vec<Interrupt> {
        let open = self.interrupts();
        if !open.is_empty() {
            return open;
        }
        self.questions.last().or(self.inner.last()).map(|q| self.interrupt(q)).into_iter().collect()
    }

    fn interrupt(&self, question: &Question) -> Interrupt {
        Interrupt {
            id: question.id.clone(),
            task: self.task.clone(),
            node: Arc::clone(&self.node),
            value: question.value.clone(),
            schema: question.schema.clone(),
        }
    }
}

/// One question of a task, and its answer if it has one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Question {
    /// The interrupt's id.
    pub id: String,
    pub value: Value,
    /// The JSON schema that its answer must fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
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
    /// The task that asks; of the graph that was run, if a graph within asks.
    pub task: String,
    /// The name of its node.
    pub node: Arc<str>,
    /// What is asked.
    pub value: Value,
    /// The JSON schema that the answer must fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schema: Option<Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_an_answer_and_survives_being_stored() {
        for answer in [None, Some(Value::Null), Some(Value::Bool(false))] {
            let question = Question { id: "q".into(), value: Value::Null, schema: None, answer };
            let stored = serde_json::to_string(&question).expect("a question is plain data");
            let loaded: Question = serde_json::from_str(&stored).expect("it reads its own form");
            assert_eq!(loaded, question);
        }
    }
}
