//! What goes into a run and what comes out of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::error::Error;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::{Value, json};

use super::error::BadReturn;
use super::{Drain, Interrupt, Pauses, SaveError, State, Timer, TokioTimer, Update};

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
    /// An answer without an id, to the one question that is open. Refused if there is none, or
    /// more than one.
    Answer(Value),
    /// No input: goes on with what is pending, with the answers that the saver has recorded.
    Continue,
    /// Answers, writes and jumps at once.
    Command(Command),
}

impl Input {
    /// Answers, writes and jumps as they are shown: in a command.
    pub(super) fn shown(&self) -> Option<Value> {
        let command = match self {
            Self::New(_) | Self::Restart(_) | Self::Continue => return None,
            Self::Resume(answers) => json!({ "resume": answers }),
            Self::Answer(answer) => json!({ "resume": answer }),
            Self::Command(Command { resume, update }) => {
                let mut command = update.as_command();
                match resume {
                    Some(Resume::ById(answers)) => command["resume"] = json!(answers),
                    Some(Resume::Answer(answer)) => command["resume"] = answer.clone(),
                    None => {}
                }
                command
            }
        };
        Some(json!({ "$command": command }))
    }
}

/// A command from outside. Its writes apply before what is pending runs; its jumps run beside
/// that. On a fresh thread it starts the graph, unless it answers: nothing was asked there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Command {
    pub resume: Option<Resume>,
    pub update: Update,
}

/// Answers to open questions.
#[derive(Clone, Debug, PartialEq)]
pub enum Resume {
    /// To the one question that is open.
    Answer(Value),
    /// By interrupt id.
    ById(BTreeMap<String, Value>),
}

/// When a run's turns are saved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Each before the next superstep begins: a crash loses the superstep under way, no more.
    #[default]
    Sync,
    /// While the run goes on, in order; turns that come during one commit share the next. A crash
    /// loses what is not saved yet: the superstep under way and, where commits are slower than
    /// supersteps, up to 64 turns before it. An error of a save ends the run where it stands. What
    /// ends or suspends the run is told after everything is saved, and what comes before may be told
    /// earlier.
    Async,
    /// One, at the run's end, pause, question or failure: a crash loses the whole run.
    Exit,
}

/// The run's identity, how far it may go and what it goes by.
#[derive(Clone)]
pub struct RunOptions {
    pub(super) run: Arc<str>,
    pub(super) supersteps: NonZeroU32,
    pub(super) durability: Durability,
    pub(super) at: Option<String>,
    pub(super) pause_before: Option<Pauses>,
    pub(super) pause_after: Option<Pauses>,
    pub(super) drain: Drain,
    pub(super) stray: Stray,
    pub(super) timer: Arc<dyn Timer>,
}

impl RunOptions {
    /// The options of a run: 25 supersteps, each saved before the next, on the machine's time, unless told
    /// otherwise. `run` must be unique among all runs; ids of checkpoints, tasks and interrupts
    /// are derived from it.
    pub fn of_run(run: impl Into<Arc<str>>) -> Self {
        const DEFAULT: NonZeroU32 = NonZeroU32::new(25).expect("25 is not zero");
        Self {
            run: run.into(),
            supersteps: DEFAULT,
            durability: Durability::default(),
            at: None,
            pause_before: None,
            pause_after: None,
            drain: Drain::default(),
            stray: Stray::default(),
            timer: Arc::new(TokioTimer),
        }
    }

    /// Sets the recursion limit, counted as LangGraph does: new input needs one more than it has
    /// supersteps of nodes, since finding that nothing is left takes one. Every continuation
    /// counts afresh, and may do one superstep more than the limit.
    #[must_use]
    pub fn supersteps(mut self, limit: NonZeroU32) -> Self {
        self.supersteps = limit;
        self
    }

    /// Sets when turns are saved.
    #[must_use]
    pub fn durability(mut self, durability: Durability) -> Self {
        self.durability = durability;
        self
    }

    /// Goes on from an older checkpoint: the run makes a copy of it, a fork, and leaves what came
    /// after it in the history. Nothing that was answered there is answered in the fork.
    #[must_use]
    pub fn at(mut self, checkpoint: impl Into<String>) -> Self {
        self.at = Some(checkpoint.into());
        self
    }

    /// Pauses before these nodes, instead of the graph's own; for this run only.
    #[must_use]
    pub fn interrupt_before(mut self, nodes: Pauses) -> Self {
        self.pause_before = Some(nodes);
        self
    }

    /// Pauses after these nodes, instead of the graph's own; for this run only.
    #[must_use]
    pub fn interrupt_after(mut self, nodes: Pauses) -> Self {
        self.pause_after = Some(nodes);
        self
    }

    /// Lets the holder of `drain` stop the run at its next superstep.
    #[must_use]
    pub fn drain(mut self, drain: Drain) -> Self {
        self.drain = drain;
        self
    }

    /// Ignores answers that find no open question, as LangGraph does: what is pending runs as if
    /// they had not been given. Without it they are refused.
    #[must_use]
    pub fn ignore_unknown_answers(mut self) -> Self {
        self.stray = Stray::Ignored;
        self
    }

    /// Sets the time that the run goes by.
    #[must_use]
    pub fn timer(mut self, timer: Arc<dyn Timer>) -> Self {
        self.timer = timer;
        self
    }
}

/// What becomes of answers that find no open question.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stray {
    #[default]
    Refused,
    Ignored,
}

/// How a run ended, if it did not fail.
#[derive(Clone, Debug)]
pub enum RunEnd {
    /// Nothing is left to do.
    Finished { state: State },
    /// It waits for answers to all of these. The state shows what finished siblings wrote.
    Interrupted { state: State, interrupts: Vec<Interrupt> },
    /// It stopped with these nodes next, because of `interrupt_before` or `interrupt_after`, its
    /// own or that of a graph within.
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
    #[error("the thread has no checkpoint {id}")]
    UnknownCheckpoint { id: String },
    #[error("a resume needs at least one answer")]
    NoAnswers,
    #[error("no open question has the id {}", .ids.join(" or "))]
    UnknownInterrupts { ids: Vec<String> },
    #[error("an answer without an id needs one open question, and there are {open}")]
    Ambiguous { open: usize },
    #[error("the answer to {id} does not fit what was asked for: {why}")]
    BadAnswer { id: String, why: String },
    #[error("the input must be an object of state keys")]
    InputNotAnObject,
    #[error("{writer} wrote to {key}, which is not a state key")]
    UnknownKey { writer: Arc<str>, key: String },
    #[error("{writer} wrote to {key}: {why}")]
    BadWrite { writer: Arc<str>, key: Arc<str>, why: Cow<'static, str> },
    #[error("{} wrote to {key} in one superstep, and {key} takes one value", names(.writers))]
    Conflict { key: Arc<str>, writers: Vec<Arc<str>> },
    #[error("{from} leads to {target}, which is not a node")]
    UnknownTarget { from: Arc<str>, target: String },
    #[error("{node} hands a command to the graph that runs this one, and none does")]
    NoParent { node: Arc<str> },
    #[error("the recursion limit of {limit} supersteps is reached without an end")]
    RecursionLimit { limit: NonZeroU32 },
    #[error("the run was asked to stop: {reason}")]
    Drained { reason: String },
    #[error("node {node} failed")]
    Node {
        node: Arc<str>,
        step: i64,
        kind: Cow<'static, str>,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("the update must name a node: {why}")]
    AmbiguousUpdate { why: &'static str },
    #[error("{node} is not a node")]
    UnknownNode { node: String },
    #[error("the checkpoint does not fit this graph: {what}")]
    ForeignCheckpoint { what: String },
    #[error("the run could not be saved or loaded")]
    Save(#[from] SaveError),
}

impl RunError {
    /// The name of the error's kind: of a failed node, the failure's, see
    /// [`NodeError::kind`](super::NodeError::kind); of the runtime's own, LangGraph's where it has
    /// one.
    pub fn kind(&self) -> &str {
        match self {
            Self::Node { kind, .. } => kind,
            Self::NothingToContinue => "EmptyInputError",
            Self::UnknownInterrupts { .. } | Self::Ambiguous { .. } | Self::NoAnswers => {
                "UnknownInterruptError"
            }
            Self::RecursionLimit { .. } => "GraphRecursionError",
            Self::Drained { .. } => "GraphDrained",
            Self::UnknownKey { .. }
            | Self::Conflict { .. }
            | Self::AmbiguousUpdate { .. }
            | Self::UnknownNode { .. }
            | Self::UnknownTarget { .. }
            | Self::InputNotAnObject => "InvalidUpdateError",
            Self::NoParent { .. } => "ParentCommand",
            Self::Pending { .. }
            | Self::UnknownCheckpoint { .. }
            | Self::BadAnswer { .. }
            | Self::BadWrite { .. }
            | Self::ForeignCheckpoint { .. } => "ValueError",
            Self::Save(_) => "SaveError",
        }
    }
}

impl RunError {
    /// LangGraph's code for the error, if it has one.
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::RecursionLimit { .. } => Some("GRAPH_RECURSION_LIMIT"),
            Self::Conflict { .. } => Some("INVALID_CONCURRENT_GRAPH_UPDATE"),
            Self::InputNotAnObject => Some("INVALID_GRAPH_NODE_RETURN_VALUE"),
            Self::Node { source, .. } if source.is::<BadReturn>() => {
                Some("INVALID_GRAPH_NODE_RETURN_VALUE")
            }
            _ => None,
        }
    }

    /// LangGraph's word for why answers were refused, or for why the run was asked to stop.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::UnknownInterrupts { .. } => Some("not_pending"),
            Self::NoAnswers => Some("empty_map"),
            Self::Ambiguous { .. } => Some("ambiguous"),
            Self::Drained { reason } => Some(reason),
            _ => None,
        }
    }
}

fn names(names: &[Arc<str>]) -> String {
    names.join(" and ")
}
