//! How a graph is put together. Everything is checked once, when it is built.

use super::{Graph, Node, Reducer, Route};

/// Puts a graph together; [`build`](Self::build) checks it.
pub struct GraphBuilder;

impl GraphBuilder {
    /// A graph without anything in it.
    pub fn new(_name: impl Into<String>) -> Self {
        todo!()
    }

    /// Names the version of what the graph's closures do. It goes into
    /// [`Graph::definition_hash`], since the code of a closure cannot.
    #[must_use]
    pub fn version(self, _version: impl Into<String>) -> Self {
        todo!()
    }

    /// Adds a state key.
    #[must_use]
    pub fn key(self, _name: &str, _reducer: Reducer) -> Self {
        todo!()
    }

    /// Adds a node.
    #[must_use]
    pub fn node(self, _name: &str, _node: impl Node + 'static) -> Self {
        todo!()
    }

    /// After `from` (or from [`START`](super::START)) runs `to`; an edge to [`END`](super::END)
    /// leads nowhere. Edges from several nodes into one are no [`join`](Self::join).
    #[must_use]
    pub fn edge(self, _from: &str, _to: &str) -> Self {
        todo!()
    }

    /// Runs `to` once all of `from` have run, over any number of supersteps.
    #[must_use]
    pub fn join<'a>(self, _from: impl IntoIterator<Item = &'a str>, _to: &str) -> Self {
        todo!()
    }

    /// After `from` (or from `START`) asks `route` where to go.
    #[must_use]
    pub fn conditional_edge(self, _from: &str, _route: impl Route + 'static) -> Self {
        todo!()
    }

    /// Pauses before a superstep that has one of these nodes.
    #[must_use]
    pub fn interrupt_before<'a>(self, _nodes: impl IntoIterator<Item = &'a str>) -> Self {
        todo!()
    }

    /// Checks it.
    ///
    /// # Errors
    /// The first fault, with the node it lies at.
    pub fn build(self) -> Result<Graph, BuildError> {
        todo!()
    }
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
    #[error("{node} cannot be the name of a node: {why}")]
    BadNodeName { node: String, why: &'static str },
    #[error("there are two nodes named {node}")]
    DuplicateNode { node: String },
    #[error("there are two state keys named {key}")]
    DuplicateKey { key: String },
    #[error("the join into {to} waits for no node")]
    EmptyJoin { to: String },
}
