//! Where a task leads besides its node's edges: routes, jumps and sends.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::graph::graph::{NamedRoute, NodeIndex, Unknown};
use crate::graph::{Context, END, Event, Graph, NodeError, RunError, SendTo, State, Target};

/// A target that is known to exist.
#[derive(Clone)]
pub(super) enum Lead {
    Node(NodeIndex),
    Send(NodeIndex, Arc<Value>),
}

impl Lead {
    /// The form in which it is saved.
    pub(super) fn target(&self, graph: &Graph) -> Target {
        let name = |node: &NodeIndex| graph.nodes[*node].name.to_string();
        match self {
            Self::Node(node) => Target::Node(name(node).into()),
            Self::Send(node, arg) => Target::Send(SendTo::new(name(node), Value::clone(arg))),
        }
    }
}

/// Why a task leads nowhere.
pub(super) enum Astray {
    /// A route failed.
    Failed(NodeError),
    /// What was named does not exist.
    Unknown(RunError),
}

/// Where `routes` lead from `from`. Whoever watches is told, if there is a task to tell of.
pub(super) fn follow(
    graph: &Graph,
    routes: &[NamedRoute],
    from: &Arc<str>,
    state: &State,
    task: Option<&Context>,
) -> Result<Vec<Lead>, Astray> {
    let mut leads = Vec::new();
    for NamedRoute { name, route } in routes {
        let targets = route.route(state).map_err(Astray::Failed)?;
        if let Some(context) = task {
            context.tell_route(name, state, || shown_targets(&targets));
        }
        for target in targets {
            leads.extend(lead(graph, from, target).map_err(Astray::Unknown)?);
        }
    }
    Ok(leads)
}

/// Where jumps lead from `from`.
pub(super) fn jump(
    graph: &Graph,
    from: &Arc<str>,
    jumps: Vec<Target>,
) -> Result<Vec<Lead>, RunError> {
    let leads = jumps.into_iter().filter_map(|target| lead(graph, from, target).transpose());
    leads.collect()
}

fn lead(graph: &Graph, from: &Arc<str>, target: Target) -> Result<Option<Lead>, RunError> {
    let find = |name: &str| match (graph.find(name), graph.unknown) {
        (Some(node), _) => Ok(Some(node)),
        (None, Unknown::Dropped) => {
            tracing::warn!(%from, target = %name, "a jump to an unknown node was dropped");
            Ok(None)
        }
        (None, Unknown::Refused) => {
            Err(RunError::UnknownTarget { from: Arc::clone(from), target: name.to_owned() })
        }
    };
    Ok(match target {
        Target::Send(send) if send.node == END => {
            return Err(RunError::UnknownTarget { from: Arc::clone(from), target: END.to_owned() });
        }
        Target::End => None,
        Target::Node(name) => find(&name)?.map(Lead::Node),
        Target::Send(send) => find(&send.node)?.map(|node| Lead::Send(node, Arc::new(send.arg))),
    })
}

pub(in crate::graph) fn shown_targets(targets: &[Target]) -> Value {
    let one = |target: &Target| match target {
        Target::Node(name) => json!(name),
        Target::End => json!(END),
        Target::Send(SendTo { node, arg }) => json!({"$send": {"node": node, "arg": arg}}),
    };
    match targets {
        [target] => one(target),
        several => several.iter().map(one).collect(),
    }
}

impl Context {
    fn tell_route(&self, name: &str, input: &State, output: impl FnOnce() -> Value) {
        let shared = &self.0.place.shared;
        if shared.heard {
            let call = self.new_call(name.to_owned(), Vec::new(), None);
            let (task, output) = (self.info(), output());
            shared.tell(Event::RouteTaken { task, call: &call, input, output: &output });
        }
    }
}
