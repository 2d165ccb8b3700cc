//! `agents:` who answers in Slack, with which model, instructions and tools.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::limits::BudgetSection;
use crate::agent::Budget;
use crate::config::reading::{Located, Named, OneOrMany, Reader};

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    pub name: Located<String>,
    /// A name from `models`.
    pub model: Located<String>,
    pub instructions: String,
    /// Names from `tools`. It can call no other.
    pub tools: Vec<Located<String>>,
    /// Names from `channels` where it answers when it is mentioned.
    pub channels: Vec<Located<String>>,
    /// Answers direct messages, and mentions in channels that no agent names.
    pub is_default: bool,
    /// The JSON Schema of its final answer, if that must have a form.
    pub answer: Option<Located<Value>>,
    /// What one of its runs may use.
    pub budget: Budget,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    model: Located<String>,
    instructions: String,
    #[serde(default)]
    tools: OneOrMany,
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
    reader: &mut Reader<'_>,
) -> BTreeMap<String, Agent> {
    let is_only_one = agents.len() == 1;
    reader.named(agents, |reader, name, section| {
        Ok(Agent {
            name,
            model: section.model,
            instructions: section.instructions,
            tools: section.tools.0,
            channels: section.channels.0,
            is_default: section.is_default || is_only_one,
            answer: section.answer,
            budget: section.limits.read(general, reader)?,
        })
    })
}
