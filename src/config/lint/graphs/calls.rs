//! Calls of a graph that their tool would refuse, and approvals that nobody could give.

use serde_json::Value;

use super::super::schema::argument;
use super::Findings;
use crate::config::{Config, Graph, Otherwise, Rule, Step, Then, Tool};

pub(super) fn check(graph: &Graph, findings: &mut Findings<'_>) {
    let config = findings.config;
    for node in graph.nodes.values() {
        match &node.step {
            Step::Tool { tool, arguments, .. } => {
                let Some(tool) = config.tools.get(&tool.value) else { continue };
                for (text, mend) in misfits(tool, &arguments.value) {
                    findings.error(arguments.at, text, mend);
                }
            }
            Step::Approval { of, ask: None, .. } => {
                let Some(Step::Tool { tool, .. }) = graph.nodes.get(&of.value).map(|n| &n.step)
                else {
                    continue;
                };
                if nobody_is_named(&tool.value, config) {
                    let text = format!(
                        "where the policy lets `{}` pass, nobody is named who could approve it",
                        tool.value
                    );
                    findings.error(node.name.at, text, "add `ask: { path: … }`, as in a policy");
                }
            }
            _ => {}
        }
    }
}

/// Arguments that the tool does not have, or that it needs and does not get.
fn misfits(tool: &Tool, arguments: &Value) -> Vec<(String, String)> {
    let Some(given) = arguments.as_object() else { return Vec::new() };
    let mut found = Vec::new();
    for name in given.keys() {
        if let Err(missing) = argument(&tool.parameters, name) {
            let text = format!("`{}` has no argument called `{name}`", tool.name.value);
            found.push((text, missing.mend()));
        }
    }
    let required = tool.parameters.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten().filter_map(Value::as_str) {
        let has_default = matches!(
            argument(&tool.parameters, name),
            Ok(Some(schema)) if schema.get("default").is_some()
        );
        if !given.contains_key(name) && !has_default {
            let text = format!("`{}` needs the argument `{name}`", tool.name.value);
            found.push((text, format!("add `{name}:` under `arguments`")));
        }
    }
    found
}

/// Whether a rule could let the tool pass while there is no path to ask by instead.
fn nobody_is_named(tool: &str, config: &Config) -> bool {
    let allows = |rule: &&Rule| matches!(rule.then, Then::Allow);
    matches!(config.otherwise, Otherwise::Deny)
        && config.rules.iter().filter(allows).any(|rule| rule.covers_tool(tool))
}
