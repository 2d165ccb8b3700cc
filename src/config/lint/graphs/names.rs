//! Names in graphs that stand for nothing.

use std::collections::BTreeMap;

use super::super::references::known;
use super::Findings;
use crate::config::graphs::{END, Pass};
use crate::config::reading::meant;
use crate::config::{Config, Graph, Keeps, Located, Mind, Step};

/// How many nodes a graph may have once the graphs in it are counted in.
const MOST_NODES: usize = 400;

pub(super) fn check(graph: &Graph, findings: &mut Findings<'_>) {
    let config = findings.config;
    if graph.start.value == END {
        let text = format!("the graph `{}` begins with its end", graph.name.value);
        findings.error(graph.start.at, text, "write `start:` with the node it begins with");
    }
    for (_, exit) in graph.ways() {
        if exit.pass == Pass::Approved {
            approved(graph, exit.to, findings);
        } else if exit.to.value != END {
            node(graph, exit.to, findings);
        }
    }
    for node in graph.nodes.values() {
        match &node.step {
            Step::Agent { agent, into, .. } => {
                known("agent", agent, &config.agents, findings);
                if let Some(Mind::Graph(inner)) = config.agents.get(&agent.value).map(|a| &a.mind) {
                    let text = format!("the agent `{}` follows a graph itself", agent.value);
                    findings.error(agent.at, text, format!("write `graph: {}`", inner.value));
                }
                taken(graph, into.as_ref(), findings);
            }
            Step::Tool { tool, into, .. } => {
                known("tool", tool, &config.tools, findings);
                taken(graph, into.as_ref(), findings);
            }
            Step::Approval { into, .. } => taken(graph, into.as_ref(), findings),
            Step::Set { values, .. } => {
                for (key, _) in values {
                    self::key(graph, key, findings);
                }
            }
            Step::Graph { graph: inner, .. } => {
                known("graph", inner, &config.graphs, findings);
                shared(graph, inner, findings);
            }
            Step::Branch { .. } | Step::Message { .. } => {}
        }
    }
}

fn node(graph: &Graph, name: &Located<String>, findings: &mut Findings<'_>) -> bool {
    let known = graph.nodes.contains_key(&name.value);
    if !known {
        let text = format!("there is no node called `{}` {}", name.value, graph.here());
        let names = graph.nodes.keys().map(String::as_str).chain([END]);
        let mend = match meant(name, names) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "add it under `nodes`, or name one that is there".to_owned(),
        };
        findings.error(name.at, text, mend);
    }
    known
}

/// Only a call can be approved.
fn approved(graph: &Graph, name: &Located<String>, findings: &mut Findings<'_>) {
    let is_call = |name| matches!(graph.nodes.get(name).map(|n| &n.step), Some(Step::Tool { .. }));
    if node(graph, name, findings) && !is_call(&name.value) {
        let text = format!("`{}` calls no tool, so there is nothing to approve", name.value);
        findings.error(name.at, text, "name a `tool` node: people approve exactly its call");
    }
}

fn key(graph: &Graph, name: &Located<String>, findings: &mut Findings<'_>) -> Option<Keeps> {
    let key = graph.keys.get(&name.value);
    if key.is_none() {
        let text = format!("there is no state key called `{}` {}", name.value, graph.here());
        let mend = match meant(name, graph.keys.keys().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("add `{}: last` under `keys`", name.value),
        };
        findings.error(name.at, text, mend);
    }
    key.map(|key| key.keeps)
}

/// The key that takes an answer or a result.
fn taken(graph: &Graph, into: Option<&Located<String>>, findings: &mut Findings<'_>) {
    let Some(into) = into else { return };
    if let Some(Keeps::Sum | Keeps::Merge) = key(graph, into, findings) {
        let text = format!("`{}` cannot take what this node gives", into.value);
        findings.error(into.at, text, "use a key that keeps `last` or `append`");
    }
}

/// Keys of the same name are one key, so they must keep the same.
fn shared(graph: &Graph, inner: &Located<String>, findings: &mut Findings<'_>) {
    let Some(inner_graph) = findings.config.graphs.get(&inner.value) else { return };
    for (name, key) in &graph.keys {
        let same = inner_graph.keys.get(name).is_none_or(|other| other.keeps == key.keeps);
        if !same {
            let text = format!(
                "`{}` and `{}` share the key `{name}`, but keep different things in it",
                graph.name.value, inner.value
            );
            findings.error(inner.at, text, "let both keep the same, or give one another name");
        }
    }
}

/// Graphs that run themselves, and graphs that unfold to more than anybody can follow.
pub(super) fn check_nesting(findings: &mut Findings<'_>) {
    let config = findings.config;
    let rounds: Vec<_> =
        config.graphs.values().filter_map(|graph| runs_itself(graph, config)).collect();
    for (graph, path) in &rounds {
        let text = format!("the graph `{}` runs itself: {path}", graph.value);
        findings.error(graph.at, text, "lead it back to an earlier node instead");
    }
    if !rounds.is_empty() {
        return;
    }
    let mut sizes: BTreeMap<&str, usize> = BTreeMap::new();
    for graph in config.graphs.values() {
        let size = size(&graph.name, config, &mut sizes);
        if size > MOST_NODES {
            let text = format!("the graph `{}` unfolds to {size} nodes", graph.name.value);
            findings.error(graph.name.at, text, format!("stay below {MOST_NODES}"));
        }
    }
}

/// The graph's name, where the node stands by which it comes back to itself, and the way there.
fn runs_itself(graph: &Graph, config: &Config) -> Option<(Located<String>, String)> {
    let name = graph.name.as_str();
    for inner in graph.inner() {
        let mut seen = vec![name];
        if let Some(mut path) = way_to(name, &inner.value, config, &mut seen) {
            path.insert(0, name);
            let mended = Located { value: graph.name.value.clone(), at: inner.at };
            return Some((mended, path.join(" → ")));
        }
    }
    None
}

fn way_to<'a>(
    target: &str,
    from: &'a str,
    config: &'a Config,
    seen: &mut Vec<&'a str>,
) -> Option<Vec<&'a str>> {
    if from == target {
        return Some(vec![from]);
    }
    if seen.contains(&from) {
        return None;
    }
    seen.push(from);
    let graph = config.graphs.get(from)?;
    graph.inner().find_map(|inner| {
        let mut way = way_to(target, &inner.value, config, seen)?;
        way.insert(0, from);
        Some(way)
    })
}

fn size<'a>(name: &'a str, config: &'a Config, sizes: &mut BTreeMap<&'a str, usize>) -> usize {
    if let Some(size) = sizes.get(name) {
        return *size;
    }
    let Some(graph) = config.graphs.get(name) else { return 0 };
    let inner = graph.inner().map(|inner| size(&inner.value, config, sizes));
    let total = inner.fold(graph.nodes.len(), usize::saturating_add);
    sizes.insert(name, total);
    total
}

impl Graph {
    /// The graphs that its nodes run.
    fn inner(&self) -> impl Iterator<Item = &Located<String>> {
        self.nodes.values().filter_map(|node| match &node.step {
            Step::Graph { graph, .. } => Some(graph),
            _ => None,
        })
    }
}
