//! Messages as the recordings show them: `{type, content, id, name?, tool_calls?, tool_call_id?,
//! status?}`.

use serde_json::{Map, Value, json};

use crate::expression::truthy;

const TYPES: [&str; 5] = ["human", "ai", "system", "tool", "remove"];

/// A message if the object is one, in the form the recordings have; else the object as it is.
pub fn read(fields: Map<String, Value>) -> Value {
    let kind = fields.get("type").and_then(Value::as_str);
    let Some(kind) = kind.filter(|kind| TYPES.contains(kind)) else { return fields.into() };
    let whole =
        kind == "remove" || ["content", "tool_calls"].iter().any(|key| fields.contains_key(*key));
    if whole { shown(kind, &fields) } else { fields.into() }
}

/// A message that was stored, with what the recordings show of it; everything else unchanged.
pub fn stored(fields: Map<String, Value>) -> Value {
    match fields.get("type").and_then(Value::as_str) {
        Some(kind @ ("human" | "ai" | "system" | "tool")) if fields.contains_key("content") => {
            shown(kind, &fields)
        }
        _ => fields.into(),
    }
}

fn shown(kind: &str, fields: &Map<String, Value>) -> Value {
    let content = fields.get("content").cloned().unwrap_or_else(|| "".into());
    let mut message = json!({"type": kind, "content": content});
    for key in ["id", "name"] {
        if let Some(value) = fields.get(key).filter(|value| !value.is_null()) {
            message[key] = value.clone();
        }
    }
    if kind == "ai" && fields.get("tool_calls").is_some_and(truthy) {
        let calls = fields["tool_calls"].as_array().into_iter().flatten();
        message["tool_calls"] = calls
            .map(|call| json!({"name": call["name"], "args": call["args"], "id": call["id"]}))
            .collect();
    }
    if kind == "tool" {
        message["tool_call_id"] = fields.get("tool_call_id").cloned().unwrap_or_default();
        message["status"] = fields.get("status").cloned().unwrap_or_else(|| "success".into());
    }
    message
}

/// What a tool says to a model.
pub fn tool(name: &str, call: &Value, content: &str, status: &str) -> Value {
    json!({"type": "tool", "content": content, "name": name, "tool_call_id": call, "status": status})
}
