//! Compares what our runtime did with a recording, as the fixtures' README says.

use serde_json::Value;

use crate::canon::renumbered;
use crate::stored;

/// Where the two documents differ, one line each; none if they are equal.
pub fn differences(expected: &Value, ours: &Value) -> Vec<String> {
    let mut found = Vec::new();
    walk("", &prepared(expected), &prepared(ours), &mut found);
    found
}

/// The document with only the compared part of stored checkpoints in it, numbered anew.
fn prepared(document: &Value) -> Value {
    let mut document = document.clone();
    for step in document["steps"].as_array_mut().into_iter().flatten() {
        if let Some(checkpoint) = step.get_mut("checkpoint") {
            *checkpoint = stored::compared(checkpoint);
        }
    }
    renumbered(&document)
}

fn walk(path: &str, expected: &Value, ours: &Value, found: &mut Vec<String>) {
    match (expected, ours) {
        (expected, ours) if is_error(expected) && is_error(ours) => {
            for key in promised(expected) {
                walk(&format!("{path}/{key}"), &expected[key], &ours[key], found);
            }
        }
        (Value::Object(one), Value::Object(other)) => {
            let keys = one.keys().chain(other.keys().filter(|key| !one.contains_key(*key)));
            for key in keys {
                let path = format!("{path}/{key}");
                match (one.get(key), other.get(key)) {
                    (Some(expected), Some(ours)) => walk(&path, expected, ours, found),
                    (expected, ours) => found.push(line(&path, expected, ours)),
                }
            }
        }
        (Value::Array(one), Value::Array(other)) => {
            for place in 0..one.len().max(other.len()) {
                let path = format!("{path}/{place}");
                match (one.get(place), other.get(place)) {
                    (Some(expected), Some(ours)) => walk(&path, expected, ours, found),
                    (expected, ours) => found.push(line(&path, expected, ours)),
                }
            }
        }
        (expected, ours) if expected == ours => {}
        (expected, ours) => found.push(line(path, Some(expected), Some(ours))),
    }
}

fn is_error(value: &Value) -> bool {
    ["class", "kind", "message"].iter().all(|key| value.get(key).is_some())
}

/// What is promised of an error depends on who raised it.
fn promised(error: &Value) -> &'static [&'static str] {
    match error["kind"].as_str() {
        Some("langgraph") => &["kind", "class", "code", "reason", "timeout_kind"],
        Some("scripted") => &["kind", "class", "message"],
        _ => &[],
    }
}

fn line(path: &str, expected: Option<&Value>, ours: Option<&Value>) -> String {
    let shown = |value: Option<&Value>| match value {
        Some(value) => value.to_string().chars().take(400).collect(),
        None => "nothing".to_owned(),
    };
    format!("{path}: expected {}, got {}", shown(expected), shown(ours))
}
