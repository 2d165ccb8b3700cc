//! A checked graph, ready to run.

use std::fmt;
use std::sync::Arc;

use super::state::Keys;
use super::{EventSink, Input, Limits, Node, Route, RunEnd, RunError, Saver, engine};

/// A graph that was built and checked. It holds no run: any number of runs share one.
pub struct Graph {
    pub(super) name: String,
    pub(super) hash: String,
    pub(super) keys: Arc<Keys>,
    /// In the order of their names, which is the order in which their writes are applied.
    pub(super) nodes: Vec<NodeSpec>,
    pub(super) joins: Vec<Join>,
    pub(super) entry: Exits,
}

/// The place of a node in [`Graph::nodes`]; smaller means an earlier name.
pub(super) type NodeIndex = usize;

pub(super) struct NodeSpec {
    pub(super) name: Arc<str>,
    pub(super) node: Box<dyn Node>,
    pub(super) exits: Exits,
    /// The joins that wait for this node, as places in [`Graph::joins`].
    pub(super) joins: Vec<usize>,
    pub(super) pause_before: bool,
}

/// The ways out of a node, or out of the start.
#[derive(Default)]
pub(super) struct Exits {
    pub(super) edges: Vec<NodeIndex>,
    pub(super) routes: Vec<Box<dyn Route>>,
}

/// An edge from several nodes, taken once all of them have run.
pub(super) struct Join {
    pub(super) name: Arc<str>,
    pub(super) from: Vec<NodeIndex>,
    pub(super) to: NodeIndex,
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
        saver: &dyn Saver,
        events: Arc<dyn EventSink>,
        limits: Limits,
    ) -> Result<RunEnd, RunError> {
        engine::run(self, input, saver, events, limits).await
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
