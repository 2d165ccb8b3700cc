//! How a graph is put together. Everything is checked once, when it is built.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::graph::{Exits, Join, NodeIndex, NodeSpec};
use super::state::Keys;
use super::{END, Graph, Node, Reducer, Route, START};

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
    nodes: Vec<Box<dyn Node>>,
    routes: Vec<Box<dyn Route>>,
}

/// Everything the builder was told that is plain data; what the definition's hash is over.
#[derive(Serialize)]
struct Definition {
    name: String,
    version: String,
    keys: Vec<(String, Reducer)>,
    nodes: Vec<String>,
    edges: Vec<(String, String)>,
    joins: Vec<(Vec<String>, String)>,
    /// Where each of the builder's routes starts.
    routes: Vec<String>,
    interrupt_before: Vec<String>,
}

impl GraphBuilder {
    /// A graph without anything in it.
    pub fn new(name: impl Into<String>) -> Self {
        let definition = Definition {
            name: name.into(),
            version: String::new(),
            keys: Vec::new(),
            nodes: Vec::new(),
            edges: Vec::new(),
            joins: Vec::new(),
            routes: Vec::new(),
            interrupt_before: Vec::new(),
        };
        Self { definition, nodes: Vec::new(), routes: Vec::new() }
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

    /// Adds a node.
    #[must_use]
    pub fn node(mut self, name: impl Into<String>, node: impl Node + 'static) -> Self {
        self.definition.nodes.push(name.into());
        self.nodes.push(Box::new(node));
        self
    }

    /// After `from` (or from [`START`]) runs `to`; an edge to [`END`] leads nowhere. Edges from
    /// several nodes into one are no [`join`](Self::join): each runs `to` when it fires.
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

    /// After `from` (or from [`START`]) asks `route` where to go.
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

    /// Pauses before a superstep that has one of these nodes.
    #[must_use]
    pub fn interrupt_before<N: Into<String>>(mut self, nodes: impl IntoIterator<Item = N>) -> Self {
        self.definition.interrupt_before.extend(nodes.into_iter().map(Into::into));
        self
    }

    /// Checks it.
    ///
    /// # Errors
    /// The first fault, with the name it lies at.
    pub fn build(self) -> Result<Graph, BuildError> {
        let Self { definition, nodes, routes } = self;
        let hash = definition.hash();
        let keys = definition.checked_keys()?;
        let mut graph = Graph {
            hash,
            keys: Arc::new(Keys::sorted(keys)),
            nodes: definition.checked_nodes(nodes)?,
            joins: Vec::new(),
            entry: Exits::default(),
            name: definition.name,
        };
        for (from, to) in definition.edges {
            let to = target(&graph, &from, &to)?;
            exits(&mut graph, from)?.edges.extend(to);
        }
        for (from, route) in definition.routes.into_iter().zip(routes) {
            exits(&mut graph, from)?.routes.push(route);
        }
        for (from, to) in definition.joins {
            add_join(&mut graph, from, &to)?;
        }
        for node in definition.interrupt_before {
            match graph.find(&node) {
                Some(index) => graph.nodes[index].pause_before = true,
                None => return Err(BuildError::UnknownPause { node }),
            }
        }
        if graph.entry.edges.is_empty() && graph.entry.routes.is_empty() {
            return Err(BuildError::NoEntry { graph: graph.name });
        }
        Ok(graph)
    }
}

impl Definition {
    fn hash(&self) -> String {
        let json = serde_json::to_vec(self).expect("texts and lists of texts always serialize");
        hex::encode(Sha256::digest(json))
    }

    fn checked_keys(&self) -> Result<BTreeMap<Arc<str>, Reducer>, BuildError> {
        let mut keys = BTreeMap::new();
        for (key, reducer) in &self.keys {
            if keys.insert(Arc::from(key.as_str()), *reducer).is_some() {
                return Err(BuildError::DuplicateKey { key: key.clone() });
            }
        }
        Ok(keys)
    }

    fn checked_nodes(&self, nodes: Vec<Box<dyn Node>>) -> Result<Vec<NodeSpec>, BuildError> {
        let mut specs: Vec<NodeSpec> = Vec::with_capacity(nodes.len());
        for (name, node) in self.nodes.iter().zip(nodes) {
            let why = match name.as_str() {
                "" => Some("it is empty"),
                START | END => Some("the name is reserved"),
                name if name.contains(['|', ':']) => Some("it contains | or :"),
                _ => None,
            };
            if let Some(why) = why {
                return Err(BuildError::BadNodeName { node: name.clone(), why });
            }
            match specs.binary_search_by(|spec| (*spec.name).cmp(name)) {
                Ok(_) => return Err(BuildError::DuplicateNode { node: name.clone() }),
                Err(place) => specs.insert(
                    place,
                    NodeSpec {
                        name: name.as_str().into(),
                        node,
                        exits: Exits::default(),
                        joins: Vec::new(),
                        pause_before: false,
                    },
                ),
            }
        }
        Ok(specs)
    }
}

/// The node an edge leads to; none if it leads to the end.
fn target(graph: &Graph, from: &str, to: &str) -> Result<Option<NodeIndex>, BuildError> {
    if to == END {
        return Ok(None);
    }
    match graph.find(to) {
        Some(index) => Ok(Some(index)),
        None => Err(BuildError::UnknownTarget { from: from.to_owned(), to: to.to_owned() }),
    }
}

fn exits(graph: &mut Graph, from: String) -> Result<&mut Exits, BuildError> {
    if from == START {
        return Ok(&mut graph.entry);
    }
    match graph.find(&from) {
        Some(index) => Ok(&mut graph.nodes[index].exits),
        None => Err(BuildError::UnknownSource { from }),
    }
}

fn add_join(graph: &mut Graph, from: Vec<String>, to: &str) -> Result<(), BuildError> {
    let name = format!("{}:{to}", from.join("+"));
    let mut sources = Vec::with_capacity(from.len());
    for source in from {
        match graph.find(&source) {
            Some(index) => sources.push(index),
            None => return Err(BuildError::UnknownSource { from: source }),
        }
    }
    sources.sort_unstable();
    sources.dedup();
    if sources.is_empty() {
        return Err(BuildError::EmptyJoin { to: to.to_owned() });
    }
    let Some(to) = target(graph, &name, to)? else {
        return Ok(());
    };
    for source in &sources {
        graph.nodes[*source].joins.push(graph.joins.len());
    }
    graph.joins.push(Join { name: name.into(), from: sources, to });
    Ok(())
}

/// Why a graph was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error("graph {graph} has no edge from the start")]
    NoEntry { graph: String },
    #[error("an edge from {from} leads to {to}, which is not a node")]
    UnknownTarget { from: String, to: String },
    #[error("an edge starts at {from}, which is not a node")]
    UnknownSource { from: String },
    #[error("interrupt_before names {node}, which is not a node")]
    UnknownPause { node: String },
    #[error("{node:?} cannot be the name of a node: {why}")]
    BadNodeName { node: String, why: &'static str },
    #[error("there are two nodes named {node}")]
    DuplicateNode { node: String },
    #[error("there are two state keys named {key}")]
    DuplicateKey { key: String },
    #[error("the join into {to} waits for no node")]
    EmptyJoin { to: String },
}
