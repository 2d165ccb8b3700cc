//! A checked graph, ready to run.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::keys::Keys;
use super::{
    EventSink, Input, Node, RetryPolicy, Route, RunEnd, RunError, RunOptions, Saver, State,
    TaskInfo, engine,
};

/// A graph that was built and checked. It holds no run: any number of runs share one.
pub struct Graph {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) keys: Arc<Keys>,
    /// The places of the keys that an input may write; none means all.
    pub(super) input_keys: Option<Vec<usize>>,
    /// The places of the keys that the output has; none means all.
    pub(super) output_keys: Option<Vec<usize>>,
    /// In the order of their names, which is the order in which their writes are applied.
    pub(super) nodes: Vec<NodeSpec>,
    pub(super) joins: Vec<Join>,
    pub(super) entry: Exits,
    pub(super) pause_before: Pauses,
    pub(super) pause_after: Pauses,
    pub(super) memory: Memory,
    pub(super) unknown: Unknown,
}

/// The place of a node in [`Graph::nodes`]; smaller means an earlier name.
pub(super) type NodeIndex = usize;

pub(super) struct NodeSpec {
    pub(super) name: Arc<str>,
    pub(super) node: Box<dyn Node>,
    /// Its place in the order in which nodes were added.
    pub(super) defined: usize,
    pub(super) exits: Exits,
    /// The joins that wait for this node, as places in [`Graph::joins`].
    pub(super) joins: Vec<usize>,
    /// What can make it run, by LangGraph's names.
    pub(super) triggers: Arc<[Arc<str>]>,
    /// Runs only once nothing else is due.
    pub(super) deferred: bool,
    /// What it takes that a plain node does not.
    pub(super) care: Option<Box<Care>>,
}

/// How a node is cared for that may fail or take too long.
pub(super) struct Care {
    pub(super) retry: Vec<RetryPolicy>,
    pub(super) run_timeout: Option<Duration>,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) on_error: Option<Handler>,
}

/// What runs in the stead of a node that failed for good.
pub(super) struct Handler {
    /// As LangGraph names it.
    pub(super) name: Arc<str>,
    pub(super) node: Box<dyn Node>,
}

/// The ways out of a node, or out of the start.
#[derive(Default)]
pub(super) struct Exits {
    pub(super) edges: Vec<NodeIndex>,
    pub(super) routes: Vec<NamedRoute>,
}

pub(super) struct NamedRoute {
    pub(super) name: String,
    pub(super) route: Box<dyn Route>,
}

/// An edge from several nodes, taken once all of them have run.
pub(super) struct Join {
    pub(super) name: Arc<str>,
    pub(super) from: Vec<NodeIndex>,
    pub(super) to: NodeIndex,
}

/// At which nodes a run pauses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Pauses {
    #[default]
    None,
    All,
    At(Vec<String>),
}

impl Pauses {
    /// From names, of which [`ALL`](super::ALL) means every node.
    pub fn at<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        match () {
            () if names.iter().any(|name| name == super::ALL) => Self::All,
            () if names.is_empty() => Self::None,
            () => Self::At(names),
        }
    }

    pub(super) fn has(&self, node: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::At(names) => names.iter().any(|name| name == node),
        }
    }
}

/// What a graph remembers when another graph runs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Memory {
    /// What its run needs to go on after a question, a failure or a crash. Each run begins empty.
    #[default]
    Inherit,
    /// Its state, from run to run of the thread.
    Own,
    /// Nothing: a question within starts it over.
    Nothing,
}

/// What becomes of writes to unknown keys and jumps to unknown nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Unknown {
    /// The task fails.
    #[default]
    Refused,
    /// They are dropped, with a line in the log, as LangGraph does.
    Dropped,
}

impl Graph {
    /// Runs the graph on one thread until it ends, asks, pauses or fails. Dropping the future
    /// cancels it: what was saved stays saved, and nothing goes on behind the caller's back.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn run(
        &self,
        input: Input,
        saver: Arc<dyn Saver>,
        events: Arc<dyn EventSink>,
        options: RunOptions,
    ) -> Result<RunEnd, RunError> {
        engine::run(self, input, saver, events, options).await
    }

    /// The name its author gave it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// 64 lower-case hex digits of SHA-256 over everything the builder was told: names, keys with
    /// reducers, edges, pauses and the author's version string.
    pub fn definition_hash(&self) -> String {
        self.hash.clone()
    }

    /// The output keys of a state of this graph as one JSON object.
    pub fn output(&self, state: &State) -> Value {
        match &self.output_keys {
            None => state.to_value(),
            Some(keys) => state
                .to_value_of(|key| self.keys.index(key).is_some_and(|index| keys.contains(&index))),
        }
    }

    /// Whether an input may write this key.
    pub(super) fn takes(&self, key: &str) -> bool {
        let index = self.keys.index(key);
        index.is_some_and(|key| self.input_keys.as_ref().is_none_or(|keys| keys.contains(&key)))
    }

    /// The names of the output keys; none means all.
    pub(super) fn output_key_names(&self) -> Option<Vec<&str>> {
        let keys = self.output_keys.as_ref()?;
        Some(keys.iter().map(|&key| &**self.keys.name(key)).collect())
    }

    /// Where this graph is kept when `task` is the first to run it.
    pub(super) fn namespace_in(&self, task: &TaskInfo) -> String {
        match (self.memory, &*task.namespace) {
            (Memory::Inherit | Memory::Nothing, _) => task.own_namespace(),
            (Memory::Own, "") => task.node.to_string(),
            (Memory::Own, outer) => format!("{outer}|{}", task.node),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<NodeIndex> {
        self.nodes.binary_search_by(|spec| (*spec.name).cmp(name)).ok()
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nodes: Vec<_> = self.nodes.iter().map(|spec| &spec.name).collect();
        f.debug_struct("Graph")
            .field("name", &self.name)
            .field("hash", &self.hash)
            .field("nodes", &nodes)
            .finish()
    }
}
