//! What a run tells while it goes on.

use std::sync::Arc;

use serde_json::Value;

use super::{CheckpointRef, Interrupt, Source, State, TaskError, Update};

/// One thing that happened in a run, in the order of happening. `namespace` is that of the graph:
/// empty for the root.
///
/// Tokens and custom events are live; a superstep's end and its values come after its checkpoint
/// was saved (with [`Durability::Sync`](super::Durability)), so they are true when they are told.
/// With the others only the end of the run, its pause, its questions and its failure are.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A run begins: with input, or, without, to go on; `command` then holds the answers, writes and
    /// jumps that came from outside, if any did, as they are shown. `output_keys` are those that the
    /// graph's output has; none means all.
    RunStarted {
        namespace: &'a str,
        graph: &'a str,
        input: Option<&'a Value>,
        command: Option<&'a Value>,
        output_keys: Option<&'a [&'a str]>,
    },
    /// A run goes on from this state.
    Resumed { namespace: &'a str, state: &'a State },
    /// What is next is known: the latest checkpoint, with the tasks planned from it.
    Planned { checkpoint: &'a Planned },
    /// A superstep begins: sent tasks first, then those that edges led to, by name.
    SuperstepStarted { namespace: &'a str, step: i64, tasks: &'a [TaskStart] },
    /// A try of a task begins.
    NodeStarted { task: &'a TaskInfo, input: &'a State, attempt: u32 },
    /// A piece of a model's answer, as text.
    Token { task: &'a TaskInfo, text: &'a str },
    /// Whatever a node wanted to tell.
    Custom { task: &'a TaskInfo, value: &'a Value },
    /// A model is asked. `input` is the list of messages.
    ModelStarted { task: &'a TaskInfo, call: &'a Call, input: &'a Value },
    /// A piece of its answer, as a message chunk.
    ModelChunk { task: &'a TaskInfo, call: &'a Call, chunk: &'a Value },
    /// Its whole answer, as a message.
    ModelFinished { task: &'a TaskInfo, call: &'a Call, input: &'a Value, output: &'a Value },
    /// A tool is called.
    ToolStarted { task: &'a TaskInfo, call: &'a Call, input: &'a Value },
    /// It answered, with a message.
    ToolFinished { task: &'a TaskInfo, call: &'a Call, input: &'a Value, output: &'a Value },
    /// It failed, or asks.
    ToolFailed { task: &'a TaskInfo, call: &'a Call, input: &'a Value, error: &'a str },
    /// A route was asked where to go. `output` is a name, a send or a list of these.
    RouteTaken { task: &'a TaskInfo, call: &'a Call, input: &'a State, output: &'a Value },
    /// A task is done. `returned` is the update as the node gave it, `update` the one that will be
    /// folded: its messages have ids.
    NodeFinished { task: &'a TaskInfo, input: &'a State, returned: &'a Update, update: &'a Update },
    /// A task was done before this run continued, and did not run again.
    NodeCached { task: &'a TaskInfo, update: &'a Update },
    /// A task waits for answers to these questions; none if a graph within is paused. `state` is
    /// the state that the superstep began with.
    NodeInterrupted { task: &'a TaskInfo, interrupts: &'a [Interrupt], state: &'a State },
    /// A try of a task failed and is tried again after `wait_ms` milliseconds.
    NodeRetried { task: &'a TaskInfo, error: &'a TaskError, wait_ms: i64 },
    /// A task failed for good.
    NodeFailed { task: &'a TaskInfo, error: &'a TaskError },
    /// The superstep's writes are applied; this is the state now. `wrote` tells whether there was
    /// any write to a state key.
    SuperstepFinished { namespace: &'a str, step: i64, state: &'a State, wrote: bool },
    /// The superstep waits; this is the state with what its finished tasks wrote.
    Suspended { namespace: &'a str, state: &'a State, wrote: bool },
    /// The run stopped at a node because of `interrupt_before` or `interrupt_after`.
    Paused { namespace: &'a str },
    /// Nothing is left to do. `output` has the graph's output keys.
    RunFinished { namespace: &'a str, output: &'a Value },
    /// The run failed.
    RunFailed { namespace: &'a str, error: &'a TaskError },
}

/// Where a task stands.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskInfo {
    /// The task's id, see [`TaskRecord::task`](super::TaskRecord).
    pub id: String,
    pub node: Arc<str>,
    /// The number of its superstep.
    pub step: i64,
    /// Of its graph.
    pub namespace: Arc<str>,
    pub path: TaskPath,
    /// What can make its node run, by LangGraph's names.
    pub triggers: Arc<[Arc<str>]>,
}

impl TaskInfo {
    /// The namespace of what the task runs itself: `NODE:TASK`, after that of its graph.
    pub fn own_namespace(&self) -> String {
        match &*self.namespace {
            "" => format!("{}:{}", self.node, self.id),
            outer => format!("{outer}|{}:{}", self.node, self.id),
        }
    }
}

/// What led to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaskPath {
    /// An edge, a route or a jump.
    Edge,
    /// A send: the place among those of the superstep, counted from zero.
    Sent(usize),
}

impl TaskPath {
    /// The place among those that were sent.
    pub(super) fn sent(self) -> Option<usize> {
        match self {
            Self::Edge => None,
            Self::Sent(place) => Some(place),
        }
    }
}

/// A task at the beginning of its superstep, with what it will read.
#[derive(Clone, Debug)]
pub struct TaskStart {
    pub task: TaskInfo,
    pub input: State,
    /// It was done before this run continued, and does not run again.
    pub cached: bool,
}

/// One call within a task: of a model, a tool or a route.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// 32 lower-case hex digits, another for each call.
    pub id: String,
    /// Of the model, tool or route.
    pub name: String,
    pub tags: Vec<String>,
    /// The id of the tool call that a tool answers.
    pub tool_call: Option<String>,
}

/// The latest checkpoint of a graph, with the tasks planned from it.
#[derive(Clone, Debug)]
pub struct Planned {
    pub checkpoint: CheckpointRef,
    pub parent: Option<CheckpointRef>,
    pub parents: Vec<CheckpointRef>,
    pub run: Arc<str>,
    pub source: Source,
    pub step: i64,
    /// Milliseconds since 1970.
    pub created_at: i64,
    pub state: State,
    /// Sent tasks first, then by name.
    pub tasks: Vec<PlannedTask>,
}

/// One task of a plan.
#[derive(Clone, Debug)]
pub struct PlannedTask {
    pub id: String,
    pub name: Arc<str>,
    /// The namespace of the graph that the node is, if it is one.
    pub namespace: Option<String>,
    /// What is known of it from before.
    pub error: Option<TaskError>,
    pub interrupts: Vec<Interrupt>,
    pub result: Option<Value>,
}

/// Where a run's events go. It is called from within the run and must not block: hand the event
/// on and return.
pub trait EventSink: Send + Sync {
    fn event(&self, event: Event<'_>);

    /// Whether anybody listens; if not, events are not even made.
    fn listens(&self) -> bool {
        true
    }
}

/// The sink of a run that nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _: Event<'_>) {}

    fn listens(&self) -> bool {
        false
    }
}
