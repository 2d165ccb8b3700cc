//! What makes a graph sound: every name is known, and there is a way in.

use std::collections::BTreeMap;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::{Definition, GraphBuilder};
use crate::graph::graph::{Care, Exits, Handler, Join, NamedRoute, NodeIndex, NodeSpec};
use crate::graph::keys::Keys;
use crate::graph::{ALL, END, Graph, Node, NodeOptions, Reducer, START};

pub(super) fn checked(builder: GraphBuilder) -> Result<Graph, BuildError> {
    let GraphBuilder { definition, nodes, routes, memory, unknown } = builder;
    let hash = definition.hash();
    let keys = Keys::sorted(definition.checked_keys()?);
    let mut graph = Graph {
        hash,
        input_keys: places(&keys, definition.input_keys.as_deref())?,
        output_keys: places(&keys, definition.output_keys.as_deref())?,
        keys: Arc::new(keys),
        nodes: definition.checked_nodes(nodes)?,
        joins: Vec::new(),
        entry: Exits::default(),
        pause_before: Definition::pauses(&definition.interrupt_before),
        pause_after: Definition::pauses(&definition.interrupt_after),
        memory,
        unknown,
        name: definition.name,
    };
    for (from, to) in definition.edges {
        let to = target(&graph, &from, &to)?;
        exits(&mut graph, from)?.edges.extend(to);
    }
    for (place, targets) in &definition.route_targets {
        for to in targets {
            target(&graph, &definition.routes[*place], to)?;
        }
    }
    for (place, (from, route)) in definition.routes.into_iter().zip(routes).enumerate() {
        let route = NamedRoute { name: format!("route_{place}"), route };
        exits(&mut graph, from)?.routes.push(route);
    }
    for (from, to) in definition.joins {
        add_join(&mut graph, from, &to)?;
    }
    for node in definition.interrupt_before.into_iter().chain(definition.interrupt_after) {
        if node != ALL && graph.find(&node).is_none() {
            return Err(BuildError::UnknownPause { node });
        }
    }
    if graph.entry.edges.is_empty() && graph.entry.routes.is_empty() {
        return Err(BuildError::NoEntry { graph: graph.name });
    }
    name_triggers(&mut graph);
    Ok(graph)
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

    fn checked_nodes(
        &self,
        nodes: Vec<(Box<dyn Node>, NodeOptions)>,
    ) -> Result<Vec<NodeSpec>, BuildError> {
        let mut specs: Vec<NodeSpec> = Vec::with_capacity(nodes.len());
        for (defined, (name, (node, options))) in self.nodes.iter().zip(nodes).enumerate() {
            let why = match name.as_str() {
                "" => Some("it is empty"),
                START | END | ALL => Some("the name is reserved"),
                name if name.contains(['|', ':']) => Some("it contains | or :"),
                _ => None,
            };
            if let Some(why) = why {
                return Err(BuildError::BadNodeName { node: name.clone(), why });
            }
            match specs.binary_search_by(|spec| (*spec.name).cmp(name)) {
                Ok(_) => return Err(BuildError::DuplicateNode { node: name.clone() }),
                Err(place) => specs.insert(place, spec(name, defined, node, options)),
            }
        }
        Ok(specs)
    }
}

fn spec(name: &str, defined: usize, node: Box<dyn Node>, options: NodeOptions) -> NodeSpec {
    let NodeOptions { defer, retry, run_timeout, idle_timeout, on_error } = options;
    let plain = retry.is_empty() && run_timeout.is_none() && idle_timeout.is_none();
    let care = (!plain || on_error.is_some()).then(|| {
        let handler = |node| Handler { name: format!("__error_handler__{name}").into(), node };
        Box::new(Care { retry, run_timeout, idle_timeout, on_error: on_error.map(handler) })
    });
    NodeSpec {
        name: name.into(),
        node,
        defined,
        exits: Exits::default(),
        joins: Vec::new(),
        triggers: Arc::default(),
        deferred: defer,
        care,
    }
}

fn places(keys: &Keys, names: Option<&[String]>) -> Result<Option<Vec<usize>>, BuildError> {
    let place = |name: &String| {
        keys.index(name).ok_or_else(|| BuildError::UnknownKey { key: name.clone() })
    };
    names.map(|names| names.iter().map(place).collect()).transpose()
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

/// By the names that LangGraph gives the channels that make a node run.
fn name_triggers(graph: &mut Graph) {
    for (index, spec) in graph.nodes.iter_mut().enumerate() {
        let joins = graph.joins.iter().filter(|join| join.to == index);
        let mut triggers: Vec<Arc<str>> = vec![format!("branch:to:{}", spec.name).into()];
        triggers.extend(joins.map(|join| format!("join:{}", join.name).into()));
        spec.triggers = triggers.into();
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
    #[error("a pause names {node}, which is not a node")]
    UnknownPause { node: String },
    #[error("an input or output names {key}, which is not a state key")]
    UnknownKey { key: String },
    #[error("{node:?} cannot be the name of a node: {why}")]
    BadNodeName { node: String, why: &'static str },
    #[error("there are two nodes named {node}")]
    DuplicateNode { node: String },
    #[error("there are two state keys named {key}")]
    DuplicateKey { key: String },
    #[error("the join into {to} waits for no node")]
    EmptyJoin { to: String },
}
