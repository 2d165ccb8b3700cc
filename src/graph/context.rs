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
    /// What the task asked when it ran before, in order: answers count only for the same words.
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
        Self(Arc::new(Task {
            node,
            run,
            step,
            events,
            before,
            asked: Mutex::default(),
        }))
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
    /// Questions are matched to answers by their position in the task, so their order must not
    /// depend on anything that changes between tries. An answer to other words than those asked
    /// now is refused.
    ///
    /// # Errors
    /// The interrupt on its way out. Hand it on with `?`; a node that swallows it is suspended all
    /// the same, and its update is dropped.
    pub fn interrupt(&self, value: impl Into<Value>) -> Result<Value, NodeError> {
        self.ask(&mut self.asked(), value.into())?
            .ok_or(NodeError(Cause::Interrupted))
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
        answers
            .into_iter()
            .collect::<Option<_>>()
            .ok_or(NodeError(Cause::Interrupted))
    }

    /// Streams a piece of a model's answer.
    pub fn token(&self, text: &str) {
        let Task {
            node, step, events, ..
        } = &*self.0;
        events.event(Event::Token {
            step: *step,
            node,
            text,
        });
    }

    /// Streams anything the node wants to tell while it works.
    pub fn emit(&self, value: &Value) {
        let Task {
            node, step, events, ..
        } = &*self.0;
        events.event(Event::Custom {
            step: *step,
            node,
            value,
        });
    }

    /// Everything asked in this try so far, in order.
    pub(super) fn asked(&self) -> MutexGuard<'_, Vec<Asked>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&self, asked: &mut Vec<Asked>, value: Value) -> Result<Option<Value>, NodeError> {
        let answer = match self.0.before.get(asked.len()) {
            Some(Asked {
                value: known,
                answer: Some(answer),
            }) if *known == value => Some(answer.clone()),
            Some(Asked {
                answer: Some(_), ..
            }) => {
                return Err(NodeError::message(format!(
                    "question {} of this task is not the one that was answered",
                    asked.len()
                )));
            }
            Some(Asked { answer: None, .. }) | None => None,
        };
        asked.push(Asked {
            value,
            answer: answer.clone(),
        });
        Ok(answer)
    }
}
