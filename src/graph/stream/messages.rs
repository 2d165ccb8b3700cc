//! The `messages` mode: pieces of a model's message as they come, and, whole, what a node returns
//! without having streamed it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::shown;
use crate::graph::{Call, State, TaskInfo, Update, Write};

/// A model call with this tag streams no pieces; its message comes when the node returns it.
const QUIET: &str = "nostream";

/// The messages that a reader has seen, by id.
#[derive(Default)]
pub(super) struct Messages {
    seen: BTreeSet<String>,
    /// The tags of the model calls that stream, by call id.
    calls: BTreeMap<String, Vec<String>>,
}

impl Messages {
    /// What a node was given, nobody has to be shown again.
    pub(super) fn node_started(&mut self, input: &State) {
        if let Value::Object(fields) = input.to_value() {
            for message in fields.values().flat_map(messages_in) {
                self.see(message);
            }
        }
    }

    pub(super) fn model_started(&mut self, call: &Call) {
        if !call.tags.iter().any(|tag| tag == QUIET) {
            self.calls.insert(call.id.clone(), call.tags.clone());
        }
    }

    pub(super) fn model_chunk(
        &mut self,
        task: &TaskInfo,
        call: &Call,
        chunk: &Value,
    ) -> Option<Value> {
        let tags = self.calls.get(&call.id)?.clone();
        self.see(chunk);
        Some(with_metadata(task, &tags, chunk))
    }

    /// The whole message, if none of its pieces was shown.
    pub(super) fn model_finished(
        &mut self,
        task: &TaskInfo,
        call: &Call,
        whole: &Value,
    ) -> Option<Value> {
        let tags = self.calls.remove(&call.id)?;
        self.see(whole).then(|| with_metadata(task, &tags, whole))
    }

    /// The messages of a node's update that nobody has seen.
    pub(super) fn node_finished(&mut self, task: &TaskInfo, update: &Update) -> Vec<Value> {
        let mut fresh = Vec::new();
        for (_, write) in update.writes() {
            let (Write::Value(value) | Write::Overwrite(value)) = write;
            for message in messages_in(value) {
                if self.see(message) {
                    fresh.push(with_metadata(task, &[], message));
                }
            }
        }
        fresh
    }

    /// Whether it was not seen before. Of a message without an id nobody can tell.
    fn see(&mut self, message: &Value) -> bool {
        match message["id"].as_str() {
            Some(id) => self.seen.insert(id.to_owned()),
            None => true,
        }
    }
}

fn with_metadata(task: &TaskInfo, tags: &[String], message: &Value) -> Value {
    let mut metadata = shown::metadata(task);
    if !tags.is_empty() {
        metadata["tags"] = json!(tags);
    }
    json!([message, metadata])
}

/// A value that is a message, or the messages of one that is a list.
fn messages_in(value: &Value) -> impl Iterator<Item = &Value> {
    let list = match value {
        Value::Array(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter(|item| is_message(item))
}

fn is_message(value: &Value) -> bool {
    let kinds = ["human", "ai", "system", "tool", "remove"];
    value["type"].as_str().is_some_and(|kind| kinds.contains(&kind))
        && value.get("content").is_some()
}
