//! The chunks of a stream and the events of a run in the form of the expectations.

use countersign::graph::stream::{Chunk, Mode};
use serde_json::{Map, Value, json};

use crate::canon::Canon;

/// What the recordings keep of the metadata of a message or an event.
const KEPT: [&str; 5] = [
    "langgraph_step",
    "langgraph_node",
    "langgraph_triggers",
    "langgraph_path",
    "langgraph_checkpoint_ns",
];

/// The chunks, those of parallel tasks by the tasks' names, those of one task in their order.
pub fn chunks(canon: &mut Canon, chunks: Vec<Chunk>) -> Value {
    let mut ordered: Vec<(Option<Label>, Value)> = Vec::new();
    let mut start = 0;
    for chunk in chunks {
        let label = chunk.by.as_deref().map(|by| label(chunk.step, by));
        if label.is_none() {
            ordered[start..].sort_by(|(one, _), (other, _)| one.cmp(other));
            start = ordered.len() + 1;
        }
        ordered.push((label, one(canon, chunk)));
    }
    if start < ordered.len() {
        ordered[start..].sort_by(|(one, _), (other, _)| one.cmp(other));
    }
    ordered.into_iter().map(|(_, chunk)| chunk).collect()
}

type Label = (Option<i64>, String, Option<u64>);

fn label(step: Option<i64>, by: &str) -> Label {
    match by.split_once('#') {
        Some((node, place)) => (step, node.to_owned(), place.parse().ok()),
        None => (step, by.to_owned(), None),
    }
}

fn one(canon: &mut Canon, chunk: Chunk) -> Value {
    let data = match chunk.mode {
        Mode::Values | Mode::Updates => update(canon, &chunk.data),
        Mode::Custom => canon.value(&chunk.data),
        Mode::Messages => {
            let metadata = kept(canon, &chunk.data[1]);
            json!({"message": canon.value(&chunk.data[0]), "metadata": metadata})
        }
        Mode::Tasks => task(canon, &chunk.data),
        Mode::Checkpoints => checkpoint(canon, &chunk.data),
        Mode::Debug => {
            let payload = &chunk.data["payload"];
            let payload = match chunk.data["type"].as_str() {
                Some("checkpoint") => checkpoint(canon, payload),
                _ => task(canon, payload),
            };
            json!({"step": chunk.data["step"], "type": chunk.data["type"], "payload": payload})
        }
    };
    let mut shown = json!({"mode": chunk.mode.to_string(), "data": data});
    if !chunk.namespace.is_empty() {
        chunk.namespace.iter().for_each(|step| canon.learn_namespace(step));
        shown["ns"] = chunk.namespace.into();
    }
    if let Some(by) = chunk.by {
        shown["by"] = by.into();
        shown["step"] = chunk.step.into();
    }
    shown
}

/// Values, or the updates by node; questions among them in the recordings' form.
fn update(canon: &mut Canon, data: &Value) -> Value {
    let mut shown = canon.value(data);
    if let Some(questions) = data.get("__interrupt__").and_then(Value::as_array) {
        shown["__interrupt__"] = questions.iter().map(|one| question(canon, one)).collect();
    }
    shown
}

fn question(canon: &mut Canon, question: &Value) -> Value {
    if let Some(id) = question["id"].as_str() {
        canon.learn_id("interrupt", id);
    }
    let mut shown = json!({"id": question["id"], "value": canon.value(&question["value"])});
    for key in ["schema", "response_schema"] {
        if let Some(schema) = question.get(key).filter(|schema| !schema.is_null()) {
            shown["response_schema"] = schema.clone();
        }
    }
    shown
}

fn questions(canon: &mut Canon, list: &Value) -> Value {
    list.as_array().into_iter().flatten().map(|one| question(canon, one)).collect()
}

fn error(canon: &Canon, error: &Value) -> Value {
    if error.is_null() {
        return Value::Null;
    }
    let part = |key: &str| error[key].as_str().unwrap_or_default();
    canon.task_error(part("class"), part("message"))
}

/// The start or the end of a task.
fn task(canon: &mut Canon, data: &Value) -> Value {
    if let Some(id) = data["id"].as_str() {
        canon.learn_id("task", id);
    }
    if data.get("triggers").is_some() {
        let input = canon.value(&data["input"]);
        let triggers = &data["triggers"];
        return json!({"id": data["id"], "name": data["name"], "input": input, "triggers": triggers});
    }
    json!({
        "id": data["id"],
        "name": data["name"],
        "error": error(canon, &data["error"]),
        "result": canon.value(&data["result"]),
        "interrupts": questions(canon, &data["interrupts"]),
    })
}

fn checkpoint(canon: &mut Canon, data: &Value) -> Value {
    canon.learn(&data["config"]);
    canon.learn(&data["parent_config"]);
    canon.learn(&data["metadata"]);
    let tasks = data["tasks"].as_array().cloned().unwrap_or_default();
    let tasks: Vec<_> = tasks.iter().map(|task| planned(canon, task)).collect();
    json!({
        "config": data["config"],
        "parent_config": data["parent_config"],
        "values": canon.value(&data["values"]),
        "metadata": data["metadata"],
        "next": data["next"],
        "tasks": tasks,
    })
}

fn planned(canon: &mut Canon, task: &Value) -> Value {
    if let Some(id) = task["id"].as_str() {
        canon.learn_id("task", id);
    }
    let mut shown = json!({"id": task["id"], "name": task["name"]});
    let there = |key: &str| task.get(key).filter(|value| !value.is_null());
    if let Some(failed) = there("error") {
        shown["error"] = error(canon, failed);
    }
    if there("interrupts").is_some_and(|list| list != &json!([])) {
        shown["interrupts"] = questions(canon, &task["interrupts"]);
    }
    if let Some(result) = there("result") {
        shown["result"] = canon.value(result);
    }
    if let Some(state) = there("state") {
        canon.learn(state);
        shown["state"] = state.clone();
    }
    shown
}

fn kept(canon: &mut Canon, metadata: &Value) -> Value {
    canon.learn(metadata);
    let there = |key: &str| metadata.get(key).map(|value| (key.to_owned(), value.clone()));
    let mut kept: Map<_, _> = KEPT.iter().filter_map(|key| there(key)).collect();
    let mut tags: Vec<_> = metadata["tags"].as_array().cloned().unwrap_or_default();
    if !tags.is_empty() {
        tags.sort_by_key(ToString::to_string);
        kept.insert("tags".into(), tags.into());
    }
    kept.into()
}

/// The events of a run: their metadata reduced, their tags sorted.
pub fn events(canon: &mut Canon, told: Vec<Value>) -> Value {
    told.into_iter().map(|event| self::event(canon, &event)).collect()
}

fn event(canon: &mut Canon, event: &Value) -> Value {
    let parents = event["parent_ids"].as_array().cloned().unwrap_or_default();
    for id in parents.iter().chain([&event["run_id"]]).filter_map(Value::as_str) {
        canon.learn_id("run", id);
    }
    let mut tags = event["tags"].as_array().cloned().unwrap_or_default();
    tags.sort_by_key(ToString::to_string);
    let mut metadata = kept(canon, &event["metadata"]);
    if let Some(metadata) = metadata.as_object_mut() {
        metadata.remove("tags");
    }
    let data = event["data"].as_object().cloned().unwrap_or_default();
    let data: Map<_, _> =
        data.iter().map(|(key, value)| (key.clone(), update_within(canon, value))).collect();
    json!({
        "event": event["event"],
        "name": event["name"],
        "run_id": event["run_id"],
        "parent_ids": parents,
        "tags": tags,
        "metadata": metadata,
        "data": data,
    })
}

fn update_within(canon: &mut Canon, value: &Value) -> Value {
    if value.is_object() { update(canon, value) } else { canon.value(value) }
}
