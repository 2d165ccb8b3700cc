//! `agents:` who answers in Slack, with which model, instructions and tools.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::limits::BudgetSection;
use crate::agent::Budget;
use crate::config::Graph;
use crate::config::graphs;
use crate::config::reading::{Located, Named, OneOrMany, Position, Reader};

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    pub name: Located<String>,
    pub mind: Mind,
    /// Names from `tools`. It can call no other. Of a graph: what its own nodes call.
    pub tools: Vec<Located<String>>,
    /// Names from `channels` where it answers when it is mentioned.
    pub channels: Vec<Located<String>>,
    /// Answers direct messages, and mentions in channels that no agent names.
    pub is_default: bool,
    /// What one of its runs may use.
    pub budget: Budget,
}

/// What decides what an agent does next.
#[derive(Clone, Debug)]
pub enum Mind {
    Model {
        /// A name from `models`.
        model: Located<String>,
        instructions: String,
        /// The JSON Schema of its final answer, if that must have a form.
        answer: Option<Located<Value>>,
    },
    /// A name from `graphs`.
    Graph(Located<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    model: Option<Located<String>>,
    instructions: Option<Located<String>>,
    graph: Option<Located<String>>,
    tools: Option<Located<OneOrMany>>,
    #[serde(default)]
    channels: OneOrMany,
    #[serde(default, rename = "default")]
    is_default: bool,
    answer: Option<Located<Value>>,
    #[serde(default)]
    limits: BudgetSection,
}

pub(super) fn read(
    agents: Named<Section>,
    general: Budget,
    graphs: &BTreeMap<String, Graph>,
    reader: &mut Reader<'_>,
) -> BTreeMap<String, Agent> {
    let is_only_one = agents.len() == 1;
    reader.named(agents, |reader, name, section| {
        let Section { model, instructions, graph, tools, answer, .. } = section;
        let (mind, tools) = match graph {
            Some(graph) => {
                let mut idle = |key: &str, at: Option<Position>| {
                    if let Some(at) = at {
                        let text =
                            format!("`{key}` means nothing to an agent that follows a graph");
                        reader.complain(
                            at,
                            text,
                            "remove it; the agents in the graph have their own",
                        );
                    }
                };
                idle("model", model.map(|it| it.at));
                idle("instructions", instructions.map(|it| it.at));
                idle("tools", tools.map(|it| it.at));
                idle("answer", answer.map(|it| it.at));
                let tools = graphs::tools_of(&graph, graphs);
                (Mind::Graph(graph), tools)
            }
            None => {
                let missing = |key: &str| {
                    let text = format!("`{key}` is missing in the agent `{}`", name.value);
                    (text, format!("add `{key}: …`, or let it follow a graph: `graph: …`"))
                };
                let model = model.ok_or_else(|| missing("model"));
                let instructions = instructions.ok_or_else(|| missing("instructions"));
                let mut needed = |it: Result<_, (String, String)>| {
                    it.map_err(|(text, mend)| reader.complain(name.at, text, mend))
                };
                let (model, instructions) = (needed(model), needed(instructions));
                let (model, instructions) = (model?, instructions?.value);
                let tools = tools.map(|tools| tools.value.0).unwrap_or_default();
                (Mind::Model { model, instructions, answer }, tools)
            }
        };
        Ok(Agent {
            name,
            mind,
            tools,
            channels: section.channels.0,
            is_default: section.is_default || is_only_one,
            budget: section.limits.read(general, reader)?,
        })
    })
}
