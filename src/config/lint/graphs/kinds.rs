//! What is known of the values of state keys, as a JSON Schema of the state.

use serde_json::{Map, Value, json};

use crate::agent::CallStatus;
use crate::config::{Config, Graph, Keeps, Mind, Step};

/// The schema of a graph's state: what each key can hold, told by the nodes that write it.
pub(super) fn state(graph: &Graph, config: &Config) -> Value {
    let properties: Map<String, Value> = graph
        .keys
        .iter()
        .map(|(name, key)| (name.clone(), held(graph, name, key.keeps, config)))
        .collect();
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn held(graph: &Graph, key: &str, keeps: Keeps, config: &Config) -> Value {
    match keeps {
        Keeps::Sum => json!({ "type": "number" }),
        Keeps::Merge => json!({ "type": "object" }),
        Keeps::Last => written(graph, key, config),
        Keeps::Append => json!({ "type": "array", "items": written(graph, key, config) }),
    }
}

/// What is written to a key, if every node that writes it writes the same; else anything.
fn written(graph: &Graph, key: &str, config: &Config) -> Value {
    let mut kinds: Vec<Value> = Vec::new();
    for node in graph.nodes.values() {
        let kind = match &node.step {
            Step::Agent { agent, into: Some(into), .. } if into.value == key => {
                answer(agent, config)
            }
            Step::Tool { into: Some(into), .. } | Step::Approval { into: Some(into), .. }
                if into.value == key =>
            {
                result()
            }
            Step::Set { values, .. } if values.iter().any(|(set, _)| set.value == key) => json!({}),
            Step::Graph { graph: inner, .. } if shares(&inner.value, key, config) => json!({}),
            _ => continue,
        };
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    match kinds.as_slice() {
        [kind] => kind.clone(),
        _ => json!({}),
    }
}

/// What an agent answers: the form it must have, else a text.
fn answer(agent: &str, config: &Config) -> Value {
    match config.agents.get(agent).map(|agent| &agent.mind) {
        Some(Mind::Model { answer: Some(schema), .. }) => schema.value.clone(),
        Some(Mind::Model { .. } | Mind::Graph(_)) | None => json!({ "type": "string" }),
    }
}

fn shares(graph: &str, key: &str, config: &Config) -> bool {
    config.graphs.get(graph).is_none_or(|graph| graph.keys.contains_key(key))
}

/// What became of a call: a [`CallAnswer`](crate::agent::CallAnswer), and its content as `data`
/// where that is JSON.
fn result() -> Value {
    json!({
        "type": "object",
        "properties": {
            "status": { "enum": CallStatus::ALL.map(|status| json!(status)) },
            "content": { "type": "string" },
            "data": {},
        },
        "additionalProperties": false,
    })
}
