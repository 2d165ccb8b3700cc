//! From graphs in graphs to one flat graph.

use std::collections::BTreeMap;

use serde::Serialize;

use super::FlowError;
use super::spec::{FlowSpec, FlowStep};
use crate::graph::{END, Reducer};

/// Where a graph ends, as the configuration writes it.
const WRITTEN_END: &str = "end";
/// How deep graphs may stand in graphs, and how many nodes they may come to. `check` is stricter.
const DEEPEST: usize = 16;
const MOST_NODES: usize = 1000;

/// A graph without graphs in it. Targets are names of its nodes, or [`END`].
#[derive(Debug, Serialize)]
pub(super) struct Flat {
    pub(super) keys: BTreeMap<String, Reducer>,
    pub(super) start: String,
    pub(super) nodes: BTreeMap<String, Placed>,
}

/// A node at its place in the flat graph.
#[derive(Debug, Serialize)]
pub(super) struct Placed {
    /// The graph that it was written in, and its name there.
    pub(super) graph: String,
    pub(super) written: String,
    /// With targets of the flat graph. Its keys are those of its own graph.
    pub(super) step: FlowStep,
    pub(super) scope: Scope,
}

/// What the state keys of a graph are called in the flat graph.
pub(super) type Scope = BTreeMap<String, String>;

/// Unfolds `root` and all that stands in it.
pub(super) fn unfold(flows: &BTreeMap<String, FlowSpec>, root: &str) -> Result<Flat, FlowError> {
    let start = String::new();
    let flat = Flat { keys: BTreeMap::new(), start, nodes: BTreeMap::new() };
    let mut unfolding = Unfolding { flows, flat };
    let flow = unfolding.flow(root)?;
    unfolding.flat.start = unfolding.entry(flow, "", END, &flow.start, 0)?;
    unfolding.place(flow, "", &Scope::new(), END, 0)?;
    Ok(unfolding.flat)
}

struct Unfolding<'a> {
    flows: &'a BTreeMap<String, FlowSpec>,
    flat: Flat,
}

impl<'a> Unfolding<'a> {
    fn flow(&self, name: &str) -> Result<&'a FlowSpec, FlowError> {
        self.flows
            .get(name)
            .ok_or_else(|| FlowError::Unknown { what: "graph", name: name.to_owned() })
    }

    /// Puts the nodes of `flow` into the flat graph, under `prefix`. What leads to its end leads to
    /// `end`.
    fn place(
        &mut self,
        flow: &'a FlowSpec,
        prefix: &str,
        outer: &Scope,
        end: &str,
        depth: usize,
    ) -> Result<(), FlowError> {
        let scope: Scope = flow
            .keys
            .keys()
            .map(|key| {
                let own = || format!("{prefix}{key}");
                (key.clone(), outer.get(key).cloned().unwrap_or_else(own))
            })
            .collect();
        for (key, reducer) in &flow.keys {
            self.flat.keys.entry(scope[key].clone()).or_insert(*reducer);
        }
        for (name, step) in &flow.nodes {
            let to = |target: &str| self.entry(flow, prefix, end, target, depth);
            if let FlowStep::Graph { graph, then } = step {
                let (inner, then) = (self.flow(graph)?, to(then)?);
                self.place(inner, &format!("{prefix}{name}/"), &scope, &then, depth + 1)?;
                continue;
            }
            let step = step.with_targets(to)?;
            let of_call = |of: &str| format!("{prefix}{of}");
            let step = match step {
                FlowStep::Approval { of, into, otherwise } => {
                    FlowStep::Approval { of: of_call(&of), into, otherwise }
                }
                step => step,
            };
            let (graph, written) = (flow.name.clone(), name.clone());
            let placed = Placed { graph, written, step, scope: scope.clone() };
            self.flat.nodes.insert(format!("{prefix}{name}"), placed);
            if self.flat.nodes.len() > MOST_NODES {
                return Err(FlowError::TooLarge);
            }
        }
        Ok(())
    }

    /// The flat node that a target stands for: of a graph in the graph, the one it begins with.
    fn entry(
        &self,
        flow: &'a FlowSpec,
        prefix: &str,
        end: &str,
        target: &str,
        depth: usize,
    ) -> Result<String, FlowError> {
        if depth > DEEPEST {
            return Err(FlowError::TooLarge);
        }
        if target == WRITTEN_END {
            return Ok(end.to_owned());
        }
        match flow.nodes.get(target) {
            Some(FlowStep::Graph { graph, .. }) => {
                let (inner, prefix) = (self.flow(graph)?, format!("{prefix}{target}/"));
                // `check` refuses a graph whose start is its end, which would need the way out.
                self.entry(inner, &prefix, END, &inner.start, depth + 1)
            }
            Some(_) => Ok(format!("{prefix}{target}")),
            None => Err(FlowError::Unknown { what: "node", name: target.to_owned() }),
        }
    }
}

impl FlowStep {
    fn with_targets(
        &self,
        to: impl Fn(&str) -> Result<String, FlowError>,
    ) -> Result<Self, FlowError> {
        let mut step = self.clone();
        let targets: Vec<&mut String> = match &mut step {
            Self::Agent { then, .. }
            | Self::Set { then, .. }
            | Self::Graph { then, .. }
            | Self::Message { then, .. } => vec![then],
            Self::Tool { then, otherwise, .. } => vec![then, otherwise],
            Self::Approval { otherwise, .. } => vec![otherwise],
            Self::Branch { cases, otherwise } => {
                cases.iter_mut().map(|case| &mut case.then).chain([otherwise]).collect()
            }
        };
        for target in targets {
            *target = to(target)?;
        }
        Ok(step)
    }
}
