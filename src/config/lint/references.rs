//! Names that stand for something, and for nothing.

use std::collections::BTreeMap;

use super::Findings;
use crate::config::reading::meant;
use crate::config::{Located, Members, Mind};

pub(super) fn check(findings: &mut Findings<'_>) {
    let config = findings.config;
    for group in config.groups.values() {
        if let Members::Users(users) = &group.members
            && users.is_empty()
        {
            let text =
                format!("the group `{}` is empty, and an empty group is nobody", group.name.value);
            findings.error(group.name.at, text, "list at least one person, or remove it");
        }
    }
    for stage in config.asks().flat_map(|ask| &ask.path) {
        for group in &stage.approvers {
            known("group", group, &config.groups, findings);
        }
        known("channel", &stage.place, &config.channels, findings);
    }
    for model in config.models.values() {
        for fallback in &model.fallback {
            known("model", fallback, &config.models, findings);
            if fallback.value == model.name.value {
                let text = format!("`{}` cannot stand in for itself", fallback.value);
                findings.error(fallback.at, text, "name another model, or remove it");
            }
        }
    }
    for agent in config.agents.values() {
        match &agent.mind {
            Mind::Model { model, .. } => {
                known("model", model, &config.models, findings);
                for tool in &agent.tools {
                    known("tool", tool, &config.tools, findings);
                }
            }
            Mind::Graph(graph) => known("graph", graph, &config.graphs, findings),
        }
        for channel in &agent.channels {
            known("channel", channel, &config.channels, findings);
        }
    }
    for rule in &config.rules {
        for agent in &rule.agents {
            known("agent", agent, &config.agents, findings);
        }
        for tool in rule.tools.iter().filter(|tool| !tool.ends_with('*')) {
            known("tool", tool, &config.tools, findings);
        }
    }
    for agent in config.callers.values().flat_map(|caller| &caller.agents) {
        known("agent", agent, &config.agents, findings);
    }
    who_answers(findings);
}

/// Is there an entry of this name? The nearest name is offered when there is none.
pub(super) fn known<T>(
    what: &str,
    name: &Located<String>,
    entries: &BTreeMap<String, T>,
    findings: &mut Findings<'_>,
) {
    if entries.contains_key(&name.value) {
        return;
    }
    let mend = match meant(name, entries.keys().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("add it under `{what}s`, or name one that is there"),
    };
    findings.error(name.at, format!("there is no {what} called `{}`", name.value), mend);
}

/// For every place there is at most one agent, and for direct messages one.
fn who_answers(findings: &mut Findings<'_>) {
    let config = findings.config;
    let mut answers: BTreeMap<&str, &str> = BTreeMap::new();
    let mut default: Option<&str> = None;
    for (name, agent) in &config.agents {
        for channel in &agent.channels {
            if let Some(other) = answers.insert(&channel.value, name) {
                let text = format!("`{other}` answers in `{}` already", channel.value);
                findings.error(channel.at, text, "let one agent answer in a channel");
            }
        }
        if agent.is_default
            && let Some(other) = default.replace(name)
        {
            let text = format!("`{other}` and `{name}` are both the default agent");
            findings.error(agent.name.at, text, "keep `default: true` at one of them");
        }
    }
    if default.is_none()
        && let Some(agent) = config.agents.values().next()
    {
        let text = "no agent is the default, so nobody answers direct messages";
        findings.warning(agent.name.at, text, "write `default: true` at one agent");
    }
}
