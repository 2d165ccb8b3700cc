//! How a graph is put together. [`check`] looks everything over once, when it is built.

mod check;

use std::sync::Arc;

use serde::Serialize;

pub use self::check::BuildError;
use super::graph::{Memory, Pauses, Unknown};
use super::subgraph::Subgraph;
use super::{Graph, Node, NodeOptions, Reducer, Route};

/// Puts a graph together; [`build`](Self::build) checks it.
///
/// ```ignore
/// let graph = GraphBuilder::new("count")
///     .key("n", Reducer::Sum)
///     .node("add", |_: Context, _: State| async { Ok(Update::none().set("n", 1)) })
///     .edge(START, "add")
///     .conditional_edge("add", |state: &State| {
///         state.get::<u64>("n").map(|n| if n < 3 { "add" } else { END })
///     })
///     .build()?;
/// ```
pub struct GraphBuilder {
    definition: Definition,
    nodes: Vec<(Box<dyn Node>, NodeOptions)>,
    routes: Vec<Box<dyn Route>>,
    memory: Memory,
    unknown: Unknown,
}

/// Everything the builder was told that is plain data; what the definition's hash is over.
#[derive(Default, Serialize)]
struct Definition {
    name: String,
    version: String,
    keys: Vec<(String, Reducer)>,
    input_keys: Option<Vec<String>>,
    output_keys: Option<Vec<String>>,
    nodes: Vec<String>,
    deferred: Vec<String>,
    /// The hashes of the graphs that are nodes.
    subgraphs: Vec<(String, String)>,
    edges: Vec<(String, String)>,
    joins: Vec<(Vec<String>, String)>,
    /// Where each of the builder's routes starts.
    routes: Vec<String>,
    /// Where a route may lead, by its place.
    route_targets: Vec<(usize, Vec<String>)>,
    interrupt_before: Vec<String>,
    interrupt_after: Vec<String>,
}

impl GraphBuilder {
    /// A graph without anything in it.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            definition: Definition { name: name.into(), ..Definition::default() },
            nodes: Vec::new(),
            routes: Vec::new(),
            memory: Memory::default(),
            unknown: Unknown::default(),
        }
    }

    /// Names the version of what the graph's closures do. It goes into
    /// [`Graph::definition_hash`], since the code of a closure cannot.
    #[must_use]
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.definition.version = version.into();
        self
    }

    /// Adds a state key.
    #[must_use]
    pub fn key(mut self, name: impl Into<String>, reducer: Reducer) -> Self {
        self.definition.keys.push((name.into(), reducer));
        self
    }

    /// The keys that an input may write; what else it holds is dropped. All, unless told.
    #[must_use]
    pub fn input_keys<N: Into<String>>(mut self, keys: impl IntoIterator<Item = N>) -> Self {
        self.definition.input_keys = Some(keys.into_iter().map(Into::into).collect());
        self
    }

    /// The keys that [`Graph::output`] has. All, unless told.
    #[must_use]
    pub fn output_keys<N: Into<String>>(mut self, keys: impl IntoIterator<Item = N>) -> Self {
        self.definition.output_keys = Some(keys.into_iter().map(Into::into).collect());
        self
    }

    /// Drops writes to unknown keys and jumps to unknown nodes, with a line in the log, as
    /// LangGraph does. Without it a task that makes one fails.
    #[must_use]
    pub fn lenient(mut self) -> Self {
        self.unknown = Unknown::Dropped;
        self
    }

    /// What this graph remembers when another graph runs it.
    #[must_use]
    pub fn memory(mut self, memory: Memory) -> Self {
        self.memory = memory;
        self
    }

    /// Adds a node.
    #[must_use]
    pub fn node(self, name: impl Into<String>, node: impl Node + 'static) -> Self {
        self.node_with(name, node, NodeOptions::new())
    }

    /// Adds a node that is cared for: deferred, tried again, limited in time, stood in for.
    #[must_use]
    pub fn node_with(
        mut self,
        name: impl Into<String>,
        node: impl Node + 'static,
        options: NodeOptions,
    ) -> Self {
        let name = name.into();
        if options.defer {
            self.definition.deferred.push(name.clone());
        }
        if let Some(graph) = node.subgraph() {
            self.definition.subgraphs.push((name.clone(), graph.definition_hash()));
        }
        self.definition.nodes.push(name);
        self.nodes.push((Box::new(node), options));
        self
    }

    /// Adds a graph as a node. It is given this graph's values of its input keys, and its output
    /// is written to this graph's keys of the same names, by their reducers.
    #[must_use]
    pub fn subgraph(self, name: impl Into<String>, graph: Arc<Graph>) -> Self {
        self.subgraph_with(name, graph, NodeOptions::new())
    }

    /// As [`subgraph`](Self::subgraph), cared for as [`node_with`](Self::node_with) does.
    #[must_use]
    pub fn subgraph_with(
        self,
        name: impl Into<String>,
        graph: Arc<Graph>,
        options: NodeOptions,
    ) -> Self {
        self.node_with(name, Subgraph::new(graph), options)
    }

    /// After `from` (or from [`START`](super::START)) runs `to`; an edge to [`END`](super::END)
    /// leads nowhere. Edges from several nodes into one are no [`join`](Self::join): each runs
    /// `to` when it fires.
    #[must_use]
    pub fn edge(mut self, from: impl Into<String>, to: impl Into<String>) -> Self {
        self.definition.edges.push((from.into(), to.into()));
        self
    }

    /// Runs `to` once all of `from` have run, over any number of supersteps. Half-filled, a join
    /// outlives the run and waits for the next input.
    #[must_use]
    pub fn join<N: Into<String>>(
        mut self,
        from: impl IntoIterator<Item = N>,
        to: impl Into<String>,
    ) -> Self {
        let from = from.into_iter().map(Into::into).collect();
        self.definition.joins.push((from, to.into()));
        self
    }

    /// After `from` (or from [`START`](super::START)) asks `route` where to go.
    #[must_use]
    pub fn conditional_edge(
        mut self,
        from: impl Into<String>,
        route: impl Route + 'static,
    ) -> Self {
        self.definition.routes.push(from.into());
        self.routes.push(Box::new(route));
        self
    }

    /// As [`conditional_edge`](Self::conditional_edge), and says where the route may lead: nodes
    /// that must exist, or [`END`](super::END).
    #[must_use]
    pub fn conditional_edge_to<N: Into<String>>(
        mut self,
        from: impl Into<String>,
        route: impl Route + 'static,
        targets: impl IntoIterator<Item = N>,
    ) -> Self {
        let targets = targets.into_iter().map(Into::into).collect();
        self.definition.route_targets.push((self.routes.len(), targets));
        self.conditional_edge(from, route)
    }

    /// Pauses before a superstep that has one of these nodes; [`ALL`](super::ALL) means every one.
    #[must_use]
    pub fn interrupt_before<N: Into<String>>(mut self, nodes: impl IntoIterator<Item = N>) -> Self {
        self.definition.interrupt_before.extend(nodes.into_iter().map(Into::into));
        self
    }

    /// Pauses after a superstep that had one of these nodes; [`ALL`](super::ALL) means every one.
    #[must_use]
    pub fn interrupt_after<N: Into<String>>(mut self, nodes: impl IntoIterator<Item = N>) -> Self {
        self.definition.interrupt_after.extend(nodes.into_iter().map(Into::into));
        self
    }

    /// Checks it.
    ///
    /// # Errors
    /// The first fault, with the name it lies at.
    pub fn build(self) -> Result<Graph, BuildError> {
        check::checked(self)
    }
}

impl Definition {
    fn pauses(names: &[String]) -> Pauses {
        Pauses::at(names.iter().map(String::as_str))
    }
}
