//! What is left of a record's body: what `verify` needs, and who, when and by which delivery.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::approval::{Decision, Envelope, PersonFacts, Vote};

/// The kind of a record that says what a batch of the retention left of others.
pub(crate) const RETENTION: &str = "desk.reduced";
/// The same of a person who was erased.
pub(crate) const ERASURE: &str = "person.erased";

/// What stays as it was. A field that is not named, here or below, goes: so does one that is new.
const STAYS: [&str; 26] = [
    "agent",
    "attempt",
    "attempts",
    "caller",
    "choice",
    "decide_by",
    "digest",
    "epoch",
    "event",
    "finding",
    "graph",
    "interrupt",
    "key",
    "message",
    "request",
    "run",
    "settled_hash",
    "stage",
    "stage_since",
    "start_by",
    "state",
    "terms",
    "thread",
    "user",
    "version",
    "what",
];

/// What is left of the body of a record that tells of a request, a run or an execution.
pub(crate) fn remains(body: &Value) -> Value {
    let mut left = Map::new();
    for (key, value) in body.as_object().into_iter().flatten() {
        let stays = match key.as_str() {
            "envelope" => read(value).map(|envelope: Envelope| written(&envelope.reduced())),
            "vote" => read(value).map(|vote: Vote| written(&vote.reduced())),
            "decision" => read(value).map(|decision: Decision| written(&decision.reduced())),
            "person" => read(value).map(|person: PersonFacts| written(&person.reduced())),
            // A person, or the name that an operator stands for what they do with.
            "by" => match read::<PersonFacts>(value) {
                Some(person) => Some(written(&person.reduced())),
                None => value.is_string().then(|| value.clone()),
            },
            "evidence" => Some(evidence(value)),
            // The key of a delivery; elsewhere what was called.
            "call" => value.is_string().then(|| value.clone()),
            "delivery" => Some(value.clone()),
            key if STAYS.contains(&key) => Some(value.clone()),
            _ => None,
        };
        left.extend(stays.map(|value| (key.clone(), value)));
    }
    Value::Object(left)
}

/// Which delivery it was.
pub(crate) fn evidence(evidence: &Value) -> Value {
    match evidence.get("delivery") {
        Some(delivery) => json!({ "delivery": delivery }),
        None => Value::Null,
    }
}

/// Takes the hash of what a card showed from the evidence of a press. It has no salt: whoever knows the
/// rest of the card finds by guessing who stood on it.
pub(crate) fn forget_shown(evidence: &mut Value) {
    if let Some(fields) = evidence.as_object_mut() {
        fields.remove("shown");
    }
}

/// Whether a record has such a hash.
pub(crate) fn has_shown(body: &str) -> bool {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    body["evidence"].get("shown").is_some()
}

/// The deliveries that a record says it came of.
pub(crate) fn deliveries(body: &str) -> Vec<String> {
    let body: Value = serde_json::from_str(body).unwrap_or_default();
    let keys = [&body["evidence"]["delivery"], &body["delivery"], &body["event"]];
    let keys = keys.into_iter().chain([&body["message"], &body["call"]]);
    keys.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// What a record says was left of others: each by its number, with the hash of the rest.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Left(pub(crate) Vec<(u64, String)>);

impl Left {
    /// Nothing, of a record that says nothing of the kind.
    pub(super) fn told_by(body: &str) -> BTreeMap<u64, String> {
        let body: Value = serde_json::from_str(body).unwrap_or_default();
        read::<Self>(&body["left"]).unwrap_or_default().0.into_iter().collect()
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn written(value: &impl Serialize) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
