//! From the file's words to the graph that is run.

use super::{Case, Graph, Keeps, Step};
use crate::agent::{FlowCase, FlowSpec, FlowStep};
use crate::config::Located;
use crate::graph::Reducer;

impl Graph {
    /// The graph as the agents' room takes it.
    pub fn flow(&self) -> FlowSpec {
        let keys = self.keys.iter().map(|(name, key)| (name.clone(), key.keeps.reducer()));
        let nodes = self.nodes.iter().map(|(name, node)| (name.clone(), node.step.flow()));
        FlowSpec {
            name: self.name.value.clone(),
            keys: keys.collect(),
            start: self.start.value.clone(),
            nodes: nodes.collect(),
        }
    }
}

impl Step {
    fn flow(&self) -> FlowStep {
        let plain = |text: &Located<String>| text.value.clone();
        let into = |into: &Option<Located<String>>| into.as_ref().map(plain);
        match self {
            Self::Agent { agent, prompt, into: key, then } => FlowStep::Agent {
                agent: plain(agent),
                prompt: plain(prompt),
                into: into(key),
                then: plain(then),
            },
            Self::Tool { tool, arguments, into: key, then, otherwise } => FlowStep::Tool {
                tool: plain(tool),
                arguments: arguments.value.clone(),
                into: into(key),
                then: plain(then),
                otherwise: plain(otherwise),
            },
            Self::Approval { of, ask: _, into: key, otherwise } => {
                FlowStep::Approval { of: plain(of), into: into(key), otherwise: plain(otherwise) }
            }
            Self::Set { values, then } => {
                let value = |(key, value): &(Located<String>, Located<_>)| {
                    (key.value.clone(), Clone::clone(&value.value))
                };
                FlowStep::Set { values: values.iter().map(value).collect(), then: plain(then) }
            }
            Self::Branch { cases, otherwise } => FlowStep::Branch {
                cases: cases.iter().map(Case::flow).collect(),
                otherwise: plain(otherwise),
            },
            Self::Graph { graph, then } => {
                FlowStep::Graph { graph: plain(graph), then: plain(then) }
            }
            Self::Message { text, then } => {
                FlowStep::Message { text: plain(text), then: plain(then) }
            }
        }
    }
}

impl Case {
    fn flow(&self) -> FlowCase {
        FlowCase { when: self.when.value.clone(), then: self.then.value.clone() }
    }
}

impl Keeps {
    fn reducer(self) -> Reducer {
        match self {
            Self::Last => Reducer::LastValue,
            Self::Append => Reducer::Append,
            Self::Sum => Reducer::Sum,
            Self::Merge => Reducer::Merge,
        }
    }
}
