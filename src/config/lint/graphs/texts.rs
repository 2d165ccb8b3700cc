//! Expressions and templates of graphs that could never be worked out.

use serde_json::Value;

use super::super::schema::argument;
use super::Findings;
use crate::approval::Wanted;
use crate::config::{Graph, Keeps, Position, Step};

/// `state` is the schema of the graph's state.
pub(super) fn check(graph: &Graph, state: &Value, findings: &mut Findings<'_>) {
    for node in graph.nodes.values() {
        match &node.step {
            Step::Agent { prompt, .. } => template(prompt, prompt.at, state, findings),
            Step::Message { text, .. } => template(text, text.at, state, findings),
            Step::Tool { arguments, .. } => templates(arguments, arguments.at, state, findings),
            Step::Set { values, .. } => {
                for (key, expression) in values {
                    let Some(keeps) = graph.keys.get(&key.value).map(|key| key.keeps) else {
                        continue;
                    };
                    if let Err(error) = expression.type_check(state, wanted(keeps)) {
                        let text =
                            format!("`{}` cannot be set to this, because {error}", key.value);
                        findings.error(expression.at, text, hint(keeps));
                    }
                }
            }
            Step::Branch { cases, .. } => {
                for case in cases {
                    if let Err(error) = case.when.type_check(state, Wanted::YesOrNo) {
                        let text = format!("the condition cannot be judged, because {error}");
                        findings.error(case.when.at, text, "mend it, or write to the key it needs");
                    }
                }
            }
            Step::Approval { .. } | Step::Graph { .. } => {}
        }
    }
}

fn wanted(keeps: Keeps) -> Wanted {
    match keeps {
        Keeps::Last => Wanted::Anything,
        Keeps::Append => Wanted::List,
        Keeps::Sum => Wanted::Number,
        Keeps::Merge => Wanted::Object,
    }
}

fn hint(keeps: Keeps) -> &'static str {
    match keeps {
        Keeps::Last => "name what the graph has under `keys`",
        Keeps::Append => "the key keeps a list: write the entries to add, like `[input]`",
        Keeps::Sum => "the key keeps a sum: write the number to add",
        Keeps::Merge => "the key keeps an object: write the entries to put into it",
    }
}

/// All templates in a JSON value, which stands at one place.
fn templates(json: &Value, at: Position, state: &Value, findings: &mut Findings<'_>) {
    match json {
        Value::String(text) => template(text, at, state, findings),
        Value::Array(items) => items.iter().for_each(|item| templates(item, at, state, findings)),
        Value::Object(fields) => {
            fields.values().for_each(|field| templates(field, at, state, findings));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn template(text: &str, at: Position, state: &Value, findings: &mut Findings<'_>) {
    let environment = minijinja::Environment::new();
    let parsed = match environment.template_from_str(text) {
        Ok(parsed) => parsed,
        Err(error) => {
            let detail = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            let text = format!("the template cannot be read ({detail})");
            findings.error(at, text, "write values like `{{ state.name }}`");
            return;
        }
    };
    let mut names: Vec<String> = parsed.undeclared_variables(true).into_iter().collect();
    names.sort_unstable();
    for name in names {
        let Some(path) = name.strip_prefix("state.") else {
            if name != "input" {
                let text =
                    format!("the template names `{name}`, but knows only `input` and `state.…`");
                findings.error(at, text, "write values like `{{ state.name }}`");
            }
            continue;
        };
        if let Err(missing) = argument(state, path) {
            let text = format!("the template names `state.{path}`, which does not exist");
            let known = missing.known.join("`, `");
            let mend = match known.as_str() {
                "" => "the graph has no state keys; add it under `keys`".to_owned(),
                known => format!("there is `{known}`"),
            };
            findings.error(at, text, mend);
        }
    }
}
