//! `graphs:` agents, tools, approvals and checks put together without a compiler.
//!
//! A graph has state **keys**, each with what a write does to it, and named **nodes**, each of
//! exactly one kind. One node runs at a time; it says where to go next, `end` at last. Whatever a
//! graph says, each of its tool calls is a question to the desk like any agent's: it can ask for
//! more than the policy, never for less.

mod exits;
mod mermaid;
mod node;
mod section;
mod spec;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{Ask, Config, Tool};
use crate::agent::GatePlace;
use crate::approval::{self, Expression};
use crate::config::reading::{Located, Named, Reader};

pub(super) use exits::{END, Pass, START};
use section::GraphSection;
pub(super) type Section = GraphSection;

/// One graph.
#[derive(Clone, Debug)]
pub struct Graph {
    pub name: Located<String>,
    /// What it remembers, beside the message that began the run.
    pub keys: BTreeMap<String, Key>,
    /// The node it begins with.
    pub start: Located<String>,
    pub nodes: BTreeMap<String, Node>,
}

/// One state key.
#[derive(Clone, Debug)]
pub struct Key {
    pub name: Located<String>,
    pub keeps: Keeps,
}

/// What a key keeps of the values that are written to it: its reducer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Keeps {
    /// The last one.
    Last,
    /// All of them, in a list.
    Append,
    /// Their sum.
    Sum,
    /// One object of all their entries.
    Merge,
}

#[derive(Clone, Debug)]
pub struct Node {
    pub name: Located<String>,
    pub step: Step,
}

/// What a node does. Names of nodes, keys, tools, agents and graphs are as written: `check` says
/// when there is no such thing.
#[derive(Clone, Debug)]
pub enum Step {
    Agent {
        agent: Located<String>,
        /// A template of what the agent is asked.
        prompt: Located<String>,
        /// The key that takes its answer.
        into: Option<Located<String>>,
        then: Located<String>,
    },
    Tool {
        tool: Located<String>,
        /// JSON whose texts are templates.
        arguments: Located<Value>,
        /// The key that takes what became of the call.
        into: Option<Located<String>>,
        /// Where to go when the call succeeded.
        then: Located<String>,
        /// Where to go when it was not made or did not succeed.
        otherwise: Located<String>,
    },
    /// People are asked about exactly the call that the tool node `of` makes; approved, it is
    /// made.
    Approval {
        of: Located<String>,
        /// Who is asked where the policy would let the call pass.
        ask: Option<Ask>,
        into: Option<Located<String>>,
        /// Where to go when it was not approved.
        otherwise: Located<String>,
    },
    Set {
        values: Vec<(Located<String>, Located<Expression>)>,
        then: Located<String>,
    },
    Branch {
        /// The first that holds is taken.
        cases: Vec<Case>,
        otherwise: Located<String>,
    },
    /// Another graph. Keys of the same name are shared; its other keys are its own.
    Graph {
        graph: Located<String>,
        then: Located<String>,
    },
    /// A template of what the requester is told.
    Message {
        text: Located<String>,
        then: Located<String>,
    },
}

/// One way out of a branch.
#[derive(Clone, Debug)]
pub struct Case {
    pub when: Located<Expression>,
    pub then: Located<String>,
}

/// What the section says: the graphs, and the tools that its `http` nodes are.
pub(super) struct Read {
    pub(super) graphs: BTreeMap<String, Graph>,
    pub(super) tools: Vec<Tool>,
}

pub(super) fn read(graphs: Named<Section>, reader: &mut Reader<'_>) -> Read {
    let mut tools = Vec::new();
    let graphs =
        reader.named(graphs, |reader, name, section| section.read(name, &mut tools, reader));
    Read { graphs, tools }
}

/// The tools that the nodes of a graph call, with those of the graphs in it.
pub(super) fn tools_of(name: &str, graphs: &BTreeMap<String, Graph>) -> Vec<Located<String>> {
    let (mut tools, mut seen, mut next): (Vec<Located<String>>, Vec<&str>, _) =
        (Vec::new(), Vec::new(), vec![name]);
    while let Some(name) = next.pop() {
        let Some(graph) = graphs.get(name).filter(|_| !seen.contains(&name)) else { continue };
        seen.push(name);
        for node in graph.nodes.values() {
            match &node.step {
                Step::Tool { tool, .. } if !tools.contains(tool) => tools.push(tool.clone()),
                Step::Graph { graph, .. } => next.push(graph),
                _ => {}
            }
        }
    }
    tools
}

impl Config {
    /// Whom the approval nodes ask where the policy would ask nobody.
    pub fn gates(&self) -> BTreeMap<GatePlace, approval::Ask> {
        let nodes = self.graphs.values().flat_map(|graph| {
            graph.nodes.values().map(move |node| (graph.name.value.clone(), node))
        });
        nodes
            .filter_map(|(graph, node)| match &node.step {
                Step::Approval { ask: Some(ask), .. } => {
                    Some((GatePlace { graph, node: node.name.value.clone() }, ask.terms()))
                }
                _ => None,
            })
            .collect()
    }
}
