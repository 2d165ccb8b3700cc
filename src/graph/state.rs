//! The state of a graph: values under the keys that its builder named.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::{NodeError, SharedList};

/// The value of one state key. Cloning it copies nothing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum StateValue {
    One(Arc<Value>),
    /// The value of an append key.
    List(SharedList),
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
pub struct State;

impl State {
    /// The value of `key` as a type of yours.
    ///
    /// # Errors
    /// When the key has no value (unless `T` is an option) or does not fit.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<T, NodeError> {
        todo!("{key}")
    }

    /// The whole state as a struct of yours; keys it does not name are left out.
    ///
    /// # Errors
    /// When a field has no value or does not fit; the message names it.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, NodeError> {
        todo!()
    }

    /// The value of `key` as it is; none for append keys and keys without a value.
    pub fn value(&self, key: &str) -> Option<&Value> {
        todo!("{key}")
    }

    /// The entries of an append key.
    pub fn list(&self, key: &str) -> Option<&SharedList> {
        todo!("{key}")
    }

    /// The whole state as one JSON object.
    pub fn to_value(&self) -> Value {
        todo!()
    }
}

impl Serialize for State {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        todo!()
    }
}
