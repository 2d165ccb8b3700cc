//! A graph as a node of another.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value};

use super::{Context, Graph, Node, NodeError, State, Update};

/// Runs a graph on the keys that it shares with the one around it. Its private keys stay its own,
/// and its whole output goes through the reducers around it: what an append key already had, it
/// then has twice, unless the graph's output keys leave it out.
pub(super) struct Subgraph(Arc<Graph>);

impl Subgraph {
    pub(super) fn new(graph: Arc<Graph>) -> Self {
        Self(graph)
    }
}

impl Node for Subgraph {
    fn run<'a>(
        &'a self,
        ctx: &'a Context,
        state: State,
    ) -> BoxFuture<'a, Result<Update, NodeError>> {
        Box::pin(async move {
            let graph = &*self.0;
            let shared: Map<_, _> = graph
                .keys
                .iter()
                .filter_map(|(key, _)| Some((key.to_string(), state.copied(key)?)))
                .collect();
            let end = ctx.call(graph, Value::Object(shared)).await?;
            Update::of(&graph.output(&end))
        })
    }

    fn subgraph(&self) -> Option<&Graph> {
        Some(&self.0)
    }
}
