//! The state of a graph: values under the keys that its builder named.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use super::read::{Reader, StateReader};
use super::reducer::Refused;
use super::{NodeError, Reducer, SharedList};

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
        read.map_err(|error| NodeError::message(format!("state key {key}: {error}")))
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
        read.map_err(|error| NodeError::message(format!("the state does not fit: {error}")))
    }

    /// The value of `key` as it is; none for append keys and keys without a value.
    pub fn value(&self, key: &str) -> Option<&Value> {
        match self.find(key)? {
            ValueRef::One(value) => Some(value),
            ValueRef::List(_) => None,
        }
    }

    /// The entries of an append key.
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
        }
    }
}

/// The state keys of a graph, in the order of their names.
#[derive(Debug)]
pub(super) struct Keys(Vec<(Arc<str>, Reducer)>);

impl Keys {
    /// From keys that are sorted by name, each there once.
    pub(super) fn sorted(keys: BTreeMap<Arc<str>, Reducer>) -> Self {
        Self(keys.into_iter().collect())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Arc<str>, Reducer)> {
        self.0.iter()
    }

    pub(super) fn index(&self, key: &str) -> Option<usize> {
        self.0.binary_search_by(|(name, _)| (**name).cmp(key)).ok()
    }

    pub(super) fn name(&self, index: usize) -> &Arc<str> {
        &self.0[index].0
    }

    pub(super) fn reducer(&self, index: usize) -> Reducer {
        self.0[index].1
    }
}

/// A value for each key that has one. Clones share everything until one of them is written.
#[derive(Clone, Debug)]
pub(super) struct Values {
    keys: Arc<Keys>,
    slots: Arc<Vec<Option<StateValue>>>,
}

impl Values {
    pub(super) fn initial(keys: &Arc<Keys>) -> Self {
        let slots = keys.iter().map(|(_, reducer)| reducer.initial()).collect();
        Self { keys: Arc::clone(keys), slots: Arc::new(slots) }
    }

    /// Takes back what [`save`](Self::save) gave; the name of the key that does not fit if one
    /// does not. Keys the graph has gained since begin as if fresh.
    pub(super) fn restore(
        keys: &Arc<Keys>,
        saved: BTreeMap<Arc<str>, StateValue>,
    ) -> Result<Self, Arc<str>> {
        let mut values = Self::initial(keys);
        let slots = Arc::make_mut(&mut values.slots);
        for (key, value) in saved {
            let Some(index) = keys.index(&key) else {
                return Err(key);
            };
            let Some(value) = keys.reducer(index).restore(value) else {
                return Err(key);
            };
            slots[index] = Some(value);
        }
        Ok(values)
    }

    pub(super) fn save(&self) -> BTreeMap<Arc<str>, StateValue> {
        let named = self.keys.iter().zip(&*self.slots);
        named.filter_map(|((name, _), slot)| Some((Arc::clone(name), slot.clone()?))).collect()
    }

    /// Folds one write into the key at `index`.
    pub(super) fn write(&mut self, index: usize, write: Value) -> Result<(), Refused> {
        let reducer = self.keys.reducer(index);
        reducer.fold(&mut Arc::make_mut(&mut self.slots)[index], write)
    }

    /// How many entries the append key at `index` has; none for other keys.
    pub(super) fn entries(&self, index: usize) -> Option<usize> {
        match &self.slots[index] {
            Some(StateValue::List(list)) => Some(list.len()),
            Some(StateValue::One(_)) | None => None,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let named = self.keys.iter().zip(&*self.slots);
        named.filter_map(|((name, _), slot)| Some((&**name, slot.as_ref()?.into())))
    }

    fn get(&self, key: &str) -> Option<ValueRef<'_>> {
        self.slots[self.keys.index(key)?].as_ref().map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

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
        values.write(1, json!(["a", "b"])).expect("a list is appended");
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
        let Err(NodeError(super::super::node::Cause::Failed(error))) = state.get::<String>("name")
        else {
            panic!("an absent name is no text");
        };
        assert!(error.to_string().starts_with("state key name: "), "{error}");
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
        after.write(0, json!(3)).expect("a number is added");
        assert_eq!(State::from(before).value("count"), Some(&json!(0)));
        assert_eq!(State::from(after).value("count"), Some(&json!(3)));
    }
}
