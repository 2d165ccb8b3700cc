//! Asking people.

use serde_json::Value;

use super::{Context, Log};
use crate::graph::error::Cause;
use crate::graph::{NodeError, ids};

/// What is asked, and what form the answer must have.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    value: Value,
    schema: Option<Value>,
}

impl Ask {
    pub fn new(value: impl Into<Value>) -> Self {
        Self { value: value.into(), schema: None }
    }

    /// A JSON schema that the answer must fit. One that does not is refused before it is kept, and
    /// the question stays open.
    #[must_use]
    pub fn schema(mut self, schema: Value) -> Self {
        self.schema = Some(schema);
        self
    }
}

/// One question of a task, at the position of its place in the list.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::graph) struct Asked {
    pub(in crate::graph) value: Value,
    pub(in crate::graph) schema: Option<Value>,
    pub(in crate::graph) answer: Option<Value>,
}

impl Context {
    /// Asks a person. Returns the answer if there is one; else the run is suspended once this
    /// superstep's other tasks are done, and the node starts again from its first line when the
    /// question is answered: what comes before it must bear being repeated, or be done by
    /// [`step`](Self::step).
    ///
    /// A question is known by its position in the task, so it must be the same, in the same order,
    /// whenever the node runs again: an answer to other words than were asked is no answer. Of
    /// questions that a node asks side by side, only the first without an answer surfaces; see
    /// [`interrupt_many`](Self::interrupt_many).
    ///
    /// # Errors
    /// The interrupt on its way out: hand it on with `?`. (A node that swallows it is suspended
    /// all the same, and its update is dropped.) A failure when the node asked something else at
    /// this position before, or when the form is no JSON schema.
    pub fn interrupt(&self, value: impl Into<Value>) -> Result<Value, NodeError> {
        self.ask(Ask::new(value))
    }

    /// As [`interrupt`](Self::interrupt), with a form for the answer.
    ///
    /// # Errors
    /// As [`interrupt`](Self::interrupt).
    pub fn ask(&self, ask: Ask) -> Result<Value, NodeError> {
        let mut log = self.log();
        if log.asked.iter().any(|asked| asked.answer.is_none()) {
            return Err(NodeError(Cause::Interrupted));
        }
        self.put(&mut log, ask)?.ok_or(NodeError(Cause::Interrupted))
    }

    /// Asks several questions at once: every one without an answer surfaces, and the answers come
    /// in the order of the questions once all are there.
    ///
    /// # Errors
    /// As [`interrupt`](Self::interrupt).
    pub fn interrupt_many(&self, values: Vec<Value>) -> Result<Vec<Value>, NodeError> {
        let mut log = self.log();
        let mut answers = Vec::with_capacity(values.len());
        for value in values {
            answers.push(self.put(&mut log, Ask::new(value))?);
        }
        answers.into_iter().collect::<Option<_>>().ok_or(NodeError(Cause::Interrupted))
    }

    /// Whether something was asked in this try that has no answer, or a graph within waits.
    pub(in crate::graph) fn is_waiting(&self) -> bool {
        let log = self.log();
        log.paused || !log.inner.is_empty() || log.asked.iter().any(|asked| asked.answer.is_none())
    }

    /// Everything asked in this try, and what earlier tries asked beyond it: a try that fails
    /// early must not forget the answers to what it did not reach.
    pub(super) fn all_asked(&self, log: &Log) -> Vec<Asked> {
        let mut all = log.asked.clone();
        all.extend_from_slice(self.0.before.questions.get(all.len()..).unwrap_or_default());
        all
    }

    fn put(&self, log: &mut Log, ask: Ask) -> Result<Option<Value>, NodeError> {
        let Ask { value, schema } = ask;
        if let Some(schema) = &schema
            && let Err(error) = jsonschema::validator_for(schema)
        {
            // No answer could ever fit.
            let text = format!("the schema for an answer is none: {error}");
            return Err(NodeError::of_kind("ValueError", text));
        }
        let position = log.asked.len();
        let answer = match self.0.before.questions.get(position) {
            Some(known) if known.value == value => known.answer.clone(),
            Some(_) => {
                return Err(NodeError::message(format!(
                    "question {position} of this task is not the one that it asked before"
                )));
            }
            None => None,
        };
        let answer = answer.or_else(|| self.offered(position));
        log.asked.push(Asked { value, schema, answer: answer.clone() });
        Ok(answer)
    }

    /// An answer from the graph that runs this one, for when this one keeps nothing itself.
    fn offered(&self, position: usize) -> Option<Value> {
        let shared = &self.0.place.shared;
        if shared.offered.is_empty() {
            return None;
        }
        let id = ids::interrupt(&shared.namespace, self.task_id(), position);
        shared.offered.get(&id).cloned()
    }
}
