//! The state of a graph: values under the keys that its builder named.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::read::{Reader, StateReader};
use super::values::Values;
use super::{MessageList, NodeError, SharedList};

/// The value of one state key. Cloning it copies nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum StateValue {
    One(Arc<Value>),
    /// The value of an append or topic key.
    List(SharedList),
    /// The value of a message key.
    Messages(MessageList),
}

impl StateValue {
    /// The entries, if it is a list of any form.
    pub(super) fn into_list(self) -> Option<SharedList> {
        match self {
            Self::List(list) => Some(list),
            Self::Messages(messages) => Some(messages.list().clone()),
            Self::One(value) => match Arc::unwrap_or_clone(value) {
                Value::Array(entries) => Some(entries.into_iter().collect()),
                _ => None,
            },
        }
    }

    /// The entries of a list that grows by appending.
    pub fn entries(&self) -> Option<&SharedList> {
        match self {
            Self::One(_) => None,
            Self::List(list) => Some(list),
            Self::Messages(messages) => Some(messages.list()),
        }
    }
}

impl<'de> Deserialize<'de> for StateValue {
    /// Plain JSON does not say which it is; the graph that loads it knows its keys.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Value::deserialize(deserializer).map(|value| Self::One(Arc::new(value)))
    }
}

/// What a node reads: the state as the superstep began, or the argument it was sent. Cloning it
/// copies nothing.
#[derive(Clone, Debug)]
pub struct State(Source);

#[derive(Clone, Debug)]
enum Source {
    Values(Values),
    Sent(Arc<Value>),
}

impl State {
    pub(super) fn sent(arg: Arc<Value>) -> Self {
        Self(Source::Sent(arg))
    }

    /// The value of `key` as a type of yours.
    ///
    /// # Errors
    /// When the key has no value (unless `T` is an option) or does not fit.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, NodeError> {
        let read = match self.find(key) {
            Some(value) => T::deserialize(Reader(value)),
            None => T::deserialize(&Value::Null),
        };
        read.map_err(|error| NodeError::of_kind("StateError", format!("state key {key}: {error}")))
    }

    /// The whole state as a struct of yours; keys it does not name are left out. An argument that
    /// was sent is read as it is, whatever its form.
    ///
    /// # Errors
    /// When a field has no value or does not fit.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, NodeError> {
        let read = match &self.0 {
            Source::Values(values) => T::deserialize(StateReader(values)),
            Source::Sent(arg) => T::deserialize(&**arg),
        };
        read.map_err(|error| {
            NodeError::of_kind("StateError", format!("the state does not fit: {error}"))
        })
    }

    /// The value of `key` as it is; none for keys that hold a list to append to, and keys without
    /// a value.
    pub fn value(&self, key: &str) -> Option<&Value> {
        match self.find(key)? {
            ValueRef::One(value) => Some(value),
            ValueRef::List(_) => None,
        }
    }

    /// The entries of an append, topic or message key.
    pub fn list(&self, key: &str) -> Option<&SharedList> {
        match self.find(key)? {
            ValueRef::One(_) => None,
            ValueRef::List(list) => Some(list),
        }
    }

    /// The whole state as one JSON object. This copies all of it: meant for the end of a run.
    pub fn to_value(&self) -> Value {
        match &self.0 {
            Source::Values(values) => {
                values.iter().map(|(key, value)| (key.to_string(), value.to_value())).collect()
            }
            Source::Sent(arg) => Value::clone(arg),
        }
    }

    /// The value of `key` as JSON, whatever holds it.
    pub(super) fn copied(&self, key: &str) -> Option<Value> {
        self.find(key).map(ValueRef::to_value)
    }

    /// As [`to_value`](Self::to_value), but only the keys that `wanted` says yes to.
    pub(super) fn to_value_of(&self, wanted: impl Fn(&str) -> bool) -> Value {
        match &self.0 {
            Source::Values(values) => values
                .iter()
                .filter(|(key, _)| wanted(key))
                .map(|(key, value)| (key.to_string(), value.to_value()))
                .collect(),
            Source::Sent(arg) => Value::clone(arg),
        }
    }

    fn find(&self, key: &str) -> Option<ValueRef<'_>> {
        match &self.0 {
            Source::Values(values) => values.get(key),
            Source::Sent(arg) => arg.get(key).map(ValueRef::One),
        }
    }
}

impl From<Values> for State {
    fn from(values: Values) -> Self {
        Self(Source::Values(values))
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Source::Values(values) => serializer.collect_map(values.iter()),
            Source::Sent(arg) => arg.serialize(serializer),
        }
    }
}

/// One value, borrowed.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum ValueRef<'a> {
    One(&'a Value),
    List(&'a SharedList),
}

impl ValueRef<'_> {
    fn to_value(self) -> Value {
        match self {
            Self::One(value) => value.clone(),
            Self::List(list) => list.iter().cloned().collect(),
        }
    }
}

impl<'a> From<&'a StateValue> for ValueRef<'a> {
    fn from(value: &'a StateValue) -> Self {
        match value {
            StateValue::One(value) => Self::One(value),
            StateValue::List(list) => Self::List(list),
            StateValue::Messages(messages) => Self::List(messages.list()),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::graph::error::Cause;
    use crate::graph::keys::Keys;
    use crate::graph::{Reducer, Write};

    fn values() -> Values {
        let keys =
            [("count", Reducer::Sum), ("log", Reducer::Append), ("name", Reducer::LastValue)];
        let keys = keys.into_iter().map(|(name, reducer)| (name.into(), reducer)).collect();
        Values::initial(&Arc::new(Keys::sorted(keys)))
    }

    #[test]
    fn a_state_is_read_as_a_struct_by_key_and_whole() {
        #[derive(Debug, PartialEq, Deserialize)]
        struct View {
            log: Vec<String>,
            name: Option<String>,
            count: u8,
        }
        let mut values = values();
        values.write(1, Write::Value(json!(["a", "b"]))).expect("a list is appended");
        let state = State::from(values);
        let view: View = state.read().expect("the view fits");
        assert_eq!(view, View { log: vec!["a".into(), "b".into()], name: None, count: 0 });
        assert_eq!(state.get::<Option<Vec<String>>>("log").expect("it fits"), Some(view.log));
        assert_eq!(state.get::<Option<String>>("name").expect("it may be absent"), None);
        assert_eq!(state.to_value(), json!({"count": 0, "log": ["a", "b"]}));
        assert_eq!(serde_json::to_value(&state).expect("plain data"), state.to_value());
    }

    #[test]
    fn a_value_that_does_not_fit_is_named() {
        let state = State::from(values());
        let Err(NodeError(Cause::Failed(failure))) = state.get::<String>("name") else {
            panic!("an absent name is no text");
        };
        let text = failure.source.to_string();
        assert!(text.starts_with("state key name: "), "{text}");
    }

    #[test]
    fn a_sent_argument_is_read_in_place_of_the_state() {
        let state = State::sent(Arc::new(json!({"item": 7})));
        assert_eq!(state.get::<u8>("item").expect("it is there"), 7);
        assert_eq!(state.to_value(), json!({"item": 7}));
    }

    #[test]
    fn writing_one_clone_leaves_the_other_as_it_was() {
        let before = values();
        let mut after = before.clone();
        after.write(0, Write::Value(json!(3))).expect("a number is added");
        assert_eq!(State::from(before).value("count"), Some(&json!(0)));
        assert_eq!(State::from(after).value("count"), Some(&json!(3)));
    }
}
