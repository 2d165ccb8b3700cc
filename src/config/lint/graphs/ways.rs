//! Where a graph's nodes lead to.

use std::collections::BTreeSet;

use super::Findings;
use super::walks::{Edge, Is, around_the_gate, reached, walk};
use crate::config::graphs::{END, Pass, START};
use crate::config::{Config, Graph, Position, Step};

pub(super) fn check(graph: &Graph, findings: &mut Findings<'_>) {
    let ways = Ways::of(graph);
    for node in graph.nodes.values().filter(|node| !ways.reached.contains(node.name.as_str())) {
        let text = format!("nothing leads to `{}` {}", node.name.value, graph.here());
        findings.error(node.name.at, text, "lead another node to it, or remove it");
    }
    dead_ends(graph, &ways, findings);
    idle_rounds(graph, &ways, findings);
    gates(graph, &ways, findings);
}

/// All the ways of a graph, between names that exist.
struct Ways<'a> {
    edges: Vec<Edge<'a>>,
    reached: BTreeSet<&'a str>,
}

impl<'a> Ways<'a> {
    fn of(graph: &'a Graph) -> Self {
        let exists = |name: &str| name == END || graph.nodes.contains_key(name);
        let edges: Vec<_> = graph
            .ways()
            .filter(|(_, exit)| exists(exit.to))
            .map(|(node, exit)| Edge {
                from: node.map_or(START, |node| node.name.as_str()),
                to: exit.to.as_str(),
                is: if exit.pass == Pass::Approved { Is::Granted } else { Is::Plain },
            })
            .collect();
        let reached = reached(&edges, START);
        Self { edges, reached }
    }
}

/// Nodes from which the end cannot be come to.
fn dead_ends(graph: &Graph, ways: &Ways<'_>, findings: &mut Findings<'_>) {
    for node in graph.nodes.values() {
        let name = node.name.as_str();
        let leads_on = || reached(&ways.edges, name).contains(END);
        // A way to a node that does not exist is a finding of its own.
        let is_whole = || {
            node.exits()
                .iter()
                .all(|exit| exit.to.value == END || graph.nodes.contains_key(&exit.to.value))
        };
        if ways.reached.contains(name) && is_whole() && !leads_on() {
            let text = format!("there is no way from `{name}` to the end {}", graph.here());
            findings.error(node.name.at, text, "lead it, or a node after it, to `end`");
        }
    }
}

/// Rounds in which nothing waits for an agent, a tool or a person: they would only stop at the
/// recursion limit.
fn idle_rounds(graph: &Graph, ways: &Ways<'_>, findings: &mut Findings<'_>) {
    let config = findings.config;
    let idle = |name: &str| match graph.nodes.get(name).map(|node| &node.step) {
        Some(Step::Set { .. } | Step::Branch { .. } | Step::Message { .. }) => true,
        Some(Step::Graph { graph, .. }) => !works(&graph.value, config, &mut BTreeSet::new()),
        Some(Step::Agent { .. } | Step::Tool { .. } | Step::Approval { .. }) | None => false,
    };
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for node in graph.nodes.values() {
        let name = node.name.as_str();
        if !idle(name) || told.contains(name) || !ways.reached.contains(name) {
            continue;
        }
        let round = walk(&ways.edges, name, name, |edge| idle(edge.to));
        if let Some(round) = round {
            let text = format!(
                "nothing on the round {} waits for an agent, a tool or a person {}",
                round.join(" → "),
                graph.here()
            );
            findings.error(node.name.at, text, "lead one of its nodes out of it");
            told.extend(round);
        }
    }
}

/// Whether a graph has a node that waits for something, as far as that can be told.
fn works<'a>(name: &'a str, config: &'a Config, seen: &mut BTreeSet<&'a str>) -> bool {
    let Some(graph) = config.graphs.get(name).filter(|_| seen.insert(name)) else {
        return true;
    };
    graph.nodes.values().any(|node| match &node.step {
        Step::Agent { .. } | Step::Tool { .. } | Step::Approval { .. } => true,
        Step::Graph { graph, .. } => works(&graph.value, config, seen),
        Step::Set { .. } | Step::Branch { .. } | Step::Message { .. } => false,
    })
}

/// Calls that some node approves, and that can be come to without it.
fn gates(graph: &Graph, ways: &Ways<'_>, findings: &mut Findings<'_>) {
    for call in graph.nodes.keys() {
        let approvals = graph.approvals_of(call);
        if approvals.is_empty() {
            continue;
        }
        let Some(path) = around_the_gate(&ways.edges, START, call) else {
            continue;
        };
        let text = format!(
            "`{call}` can be reached without its approval {}: {}",
            graph.here(),
            path.join(" → ")
        );
        let last = path.len().checked_sub(2).map(|place| path[place]);
        let at = last.and_then(|from| place_of(graph, from, call)).unwrap_or(graph.name.at);
        findings.error(at, text, format!("lead there by `{}`", approvals.join("` or `")));
    }
}

impl Graph {
    /// The nodes at which people approve the call of a node.
    pub(super) fn approvals_of(&self, call: &str) -> Vec<&str> {
        let nodes = self.nodes.values().filter(|node| match &node.step {
            Step::Approval { of, .. } => of.value == call,
            _ => false,
        });
        nodes.map(|node| node.name.as_str()).collect()
    }
}

/// Where a plain way from one node to another is written.
fn place_of(graph: &Graph, from: &str, to: &str) -> Option<Position> {
    let mut ways = graph.ways().filter(|(node, exit)| {
        node.map_or(START, |node| node.name.as_str()) == from
            && exit.to.value == to
            && exit.pass != Pass::Approved
    });
    ways.next().map(|(_, exit)| exit.to.at)
}
