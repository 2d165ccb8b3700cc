//! What goes into a run and what comes out of it.

use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::Value;

use super::{Interrupt, SaveError, State};

/// Why a run is started.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// New input: an object of state keys. Refused while something of the thread is pending.
    ///
    /// If the thread's latest checkpoint was made by the same run, this input is already in it,
    /// and the run continues: a caller that comes back after a crash may repeat itself.
    New(Value),
    /// As `New`, but drops on purpose what is pending: open questions, a failed or paused task.
    /// The caller must close whatever it keeps for those questions.
    Restart(Value),
    /// Answers by interrupt id. At least one, and each to a question that is open.
    Resume(BTreeMap<String, Value>),
    /// No input: goes on with what is pending, with the answers that the saver has recorded.
    Continue,
}

/// The run's identity and how far it may go.
#[derive(Clone, Debug)]
pub struct Limits {
    pub(super) run: Arc<str>,
    pub(super) supersteps: NonZeroU32,
}

impl Limits {
    /// The limits of a run: 25 supersteps unless told otherwise. `run` must be unique among all
    /// runs; ids of checkpoints, tasks and interrupts are derived from it.
    pub fn of_run(run: impl Into<Arc<str>>) -> Self {
        const DEFAULT: NonZeroU32 = NonZeroU32::new(25).expect("25 is not zero");
        Self { run: run.into(), supersteps: DEFAULT }
    }

    /// Sets the recursion limit, counted as LangGraph does: new input needs one more than it has
    /// supersteps of nodes, since finding that nothing is left takes one. Every continuation
    /// counts afresh, and may do one superstep more than the limit.
    #[must_use]
    pub fn supersteps(mut self, limit: NonZeroU32) -> Self {
        self.supersteps = limit;
        self
    }
}

/// How a run ended, if it did not fail.
#[derive(Clone, Debug)]
pub enum RunEnd {
    /// Nothing is left to do.
    Finished { state: State },
    /// It waits for answers to all of these. The state shows what finished siblings wrote.
    Interrupted { state: State, interrupts: Vec<Interrupt> },
    /// It stopped before these nodes, because of `interrupt_before`.
    Paused { state: State, next: Vec<Arc<str>> },
}

impl RunEnd {
    /// The state at the end.
    pub fn state(&self) -> &State {
        match self {
            Self::Finished { state }
            | Self::Interrupted { state, .. }
            | Self::Paused { state, .. } => state,
        }
    }
}

/// Why a run failed. Whatever was saved before stays, and can be continued.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("new input is refused: the thread still has {} to run", names(.next))]
    Pending { next: Vec<Arc<str>> },
    #[error("the thread has no checkpoint to go on from")]
    NothingToContinue,
    #[error("a resume needs at least one answer")]
    NoAnswers,
    #[error("no open question has the id {}", .ids.join(" or "))]
    UnknownInterrupts { ids: Vec<String> },
    #[error("the input must be an object of state keys")]
    InputNotAnObject,
    #[error("{writer} wrote to {key}, which is not a state key")]
    UnknownKey { writer: Arc<str>, key: String },
    #[error("{writer} wrote to {key}: {why}")]
    BadWrite { writer: Arc<str>, key: Arc<str>, why: &'static str },
    #[error("{} wrote to {key} in one superstep, and {key} takes one value", names(.writers))]
    Conflict { key: Arc<str>, writers: Vec<Arc<str>> },
    #[error("{from} leads to {target}, which is not a node")]
    UnknownTarget { from: Arc<str>, target: String },
    #[error("the recursion limit of {limit} supersteps is reached without an end")]
    RecursionLimit { limit: NonZeroU32 },
    #[error("node {node} failed")]
    Node { node: Arc<str>, step: i64, source: Box<dyn Error + Send + Sync> },
    #[error("the checkpoint does not fit this graph: {what}")]
    ForeignCheckpoint { what: String },
    #[error("the run could not be saved or loaded")]
    Save(#[from] SaveError),
}

fn names(names: &[Arc<str>]) -> String {
    names.join(" and ")
}
