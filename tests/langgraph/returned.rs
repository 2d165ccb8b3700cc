//! What a node, a route or a command says in the language of the cases, as our runtime takes it.

use std::collections::BTreeMap;

use countersign::graph::{NodeError, SendTo, Target, Update};
use serde_json::{Map, Value, json};

use crate::expression::{COMMAND, OVERWRITE, SEND, special};
use crate::text::python;

/// What a node without anything to say returns.
pub fn nothing() -> Value {
    json!({})
}

/// The update that a node's return value stands for.
pub fn update(returned: &Value) -> Result<Update, NodeError> {
    if let Some(command) = special(returned, COMMAND) {
        return self::command(command);
    }
    match returned {
        Value::Null => Ok(Update::none()),
        Value::Object(fields) => Ok(writes(fields)),
        Value::Array(several) if several.iter().any(|one| special(one, COMMAND).is_some()) => {
            let mut all = Update::none();
            for one in several {
                all = all.and(update(one)?);
            }
            Ok(all)
        }
        other => Err(NodeError::bad_return(format!("Expected dict, got {}", shown(other)))),
    }
}

/// Text as it is, everything else in Python's notation.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| python(value), str::to_owned)
}

pub fn writes(fields: &Map<String, Value>) -> Update {
    fields.iter().fold(Update::none(), |update, (key, value)| match special(value, OVERWRITE) {
        Some(value) => update.overwrite(key.clone(), value.clone()),
        None => update.set(key.clone(), value.clone()),
    })
}

fn command(command: &Value) -> Result<Update, NodeError> {
    let mut update = match &command["update"] {
        Value::Object(fields) => writes(fields),
        Value::Null => Update::none(),
        other => return Err(NodeError::bad_return(format!("Expected dict, got {}", shown(other)))),
    };
    if !command["goto"].is_null() {
        for target in targets(&command["goto"], None)? {
            update = update.goto(target);
        }
    }
    Ok(if command["graph"] == "parent" { Update::to_parent(update) } else { update })
}

/// A name, a send, or a list of these; `names` maps what a route says to nodes.
pub fn targets(
    value: &Value,
    names: Option<&BTreeMap<String, String>>,
) -> Result<Vec<Target>, NodeError> {
    if let Some(send) = special(value, SEND) {
        let node = send["node"].as_str().unwrap_or_default().to_owned();
        return Ok(vec![SendTo::new(node, send["arg"].clone()).into()]);
    }
    match (value, names) {
        (Value::Array(several), names) => {
            let several: Result<Vec<_>, _> =
                several.iter().map(|one| targets(one, names)).collect();
            Ok(several?.into_iter().flatten().collect())
        }
        (Value::String(name), None) => Ok(vec![name.clone().into()]),
        (Value::String(said), Some(names)) => match names.get(said) {
            Some(name) => Ok(vec![name.clone().into()]),
            None => Err(NodeError::of_kind("KeyError", said.clone())),
        },
        _ => Err(NodeError::of_kind("ValueError", "Branch did not return a valid destination")),
    }
}
