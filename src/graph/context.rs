//! What a node is given besides the state: its place in the run, a way to ask people, and a way
//! to be heard while it works.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::node::Cause;
use super::{Event, EventSink, NodeError};

/// The run as one task sees it. Cheap to clone; all clones are the same task.
#[derive(Clone)]
pub struct Context(Arc<Task>);

struct Task {
    node: Arc<str>,
    run: Arc<str>,
    step: i64,
    events: Arc<dyn EventSink>,
    /// What the task asked when it ran before, in order.
    before: Vec<Asked>,
    asked: Mutex<Vec<Asked>>,
}

/// One question of a task, at the position of its place in the list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Asked {
    pub(super) value: Value,
    pub(super) answer: Option<Value>,
}

impl Context {
    pub(super) fn new(
        node: Arc<str>,
        run: Arc<str>,
        step: i64,
        events: Arc<dyn EventSink>,
        before: Vec<Asked>,
    ) -> Self {
        Self(Arc::new(Task { node, run, step, events, before, asked: Mutex::default() }))
    }

    /// The name of the node that runs.
    pub fn node(&self) -> &str {
        &self.0.node
    }

    /// The id of the run, as the caller gave it.
    pub fn run(&self) -> &str {
        &self.0.run
    }

    /// The number of the superstep. It goes on counting over all runs of a thread.
    pub fn step(&self) -> i64 {
        self.0.step
    }

    /// Asks a person. Returns the answer if there is one; else the run is suspended once this
    /// superstep's other tasks are done, and the node starts again from its first line when the
    /// question is answered: what comes before it must bear being repeated.
    ///
    /// A question is known by its position in the task, so it must be the same, in the same order,
    /// whenever the node runs again: an answer to other words than were asked is no answer.
    ///
    /// # Errors
    /// The interrupt on its way out: hand it on with `?`. (A node that swallows it is suspended
    /// all the same, and its update is dropped.) A failure when the node asked something else at
    /// this position before.
    pub fn interrupt(&self, value: impl Into<Value>) -> Result<Value, NodeError> {
        self.ask(&mut self.asked(), value.into())?.ok_or(NodeError(Cause::Interrupted))
    }

    /// Asks several questions at once: every one without an answer surfaces, and the answers come
    /// in the order of the questions once all are there.
    ///
    /// # Errors
    /// As [`interrupt`](Self::interrupt).
    pub fn interrupt_many(&self, values: Vec<Value>) -> Result<Vec<Value>, NodeError> {
        let mut asked = self.asked();
        let mut answers = Vec::with_capacity(values.len());
        for value in values {
            answers.push(self.ask(&mut asked, value)?);
        }
        answers.into_iter().collect::<Option<_>>().ok_or(NodeError(Cause::Interrupted))
    }

    /// Streams a piece of a model's answer.
    pub fn token(&self, text: &str) {
        let Task { node, step, events, .. } = &*self.0;
        events.event(Event::Token { step: *step, node, text });
    }

    /// Streams anything the node wants to tell while it works.
    pub fn emit(&self, value: &Value) {
        let Task { node, step, events, .. } = &*self.0;
        events.event(Event::Custom { step: *step, node, value });
    }

    /// Whether something was asked in this try that has no answer.
    pub(super) fn is_waiting(&self) -> bool {
        self.asked().iter().any(|asked| asked.answer.is_none())
    }

    /// Everything asked in this try, and what earlier tries asked beyond it: a try that fails
    /// early must not forget the answers to what it did not reach.
    pub(super) fn all_asked(&self) -> Vec<Asked> {
        let mut all = self.asked().clone();
        all.extend_from_slice(self.0.before.get(all.len()..).unwrap_or_default());
        all
    }

    fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, asked: &mut Vec<Asked>, value: Value) -> Result<Option<Value>, NodeError> {
        let answer = match self.0.before.get(asked.len()) {
            Some(known) if known.value == value => known.answer.clone(),
            Some(_) => {
                let position = asked.len();
                return Err(NodeError::message(format!(
                    "question {position} of this task is not the one that it asked before"
                )));
            }
            None => None,
        };
        asked.push(Asked { value, answer: answer.clone() });
        Ok(answer)
    }
}
