//! What a node gives back: writes to state keys, and where to go besides its edges.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{END, NodeError};

/// One write to a key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Write {
    /// For the key's reducer.
    Value(Value),
    /// Past the reducer: this is the value now, whatever else the superstep writes.
    Overwrite(Value),
}

impl Write {
    /// The form in which it is shown: an overwrite is `{"$overwrite": value}`.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Value(value) => value.clone(),
            Self::Overwrite(value) => json!({ "$overwrite": value }),
        }
    }
}

/// A node's writes, each meant for the reducer of its key, and the jumps it asks for: what
/// LangGraph calls a command. A node without anything to say returns `Update::none()`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Update {
    pub(super) writes: Vec<(Cow<'static, str>, Write)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) goto: Vec<Target>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) parent: Option<Box<Self>>,
}

impl Update {
    /// Writes nothing and goes nowhere but along the node's edges.
    pub fn none() -> Self {
        Self::default()
    }

    /// Hands `update`, with its jumps, to the graph that runs this one; this graph ends here.
    pub fn to_parent(update: Self) -> Self {
        Self { parent: Some(Box::new(update)), ..Self::none() }
    }

    /// Writes `value` to `key`. A later write of the same key replaces the earlier one.
    #[must_use]
    pub fn set(self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.write(key.into(), Write::Value(value.into()))
    }

    /// Makes `value` the value of `key`, past its reducer and all other writes of the superstep;
    /// two of these for one key in one superstep are refused.
    #[must_use]
    pub fn overwrite(self, key: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.write(key.into(), Write::Overwrite(value.into()))
    }

    fn write(mut self, key: Cow<'static, str>, write: Write) -> Self {
        match self.writes.iter_mut().find(|(known, _)| *known == key) {
            Some((_, written)) => *written = write,
            None => self.writes.push((key, write)),
        }
        self
    }

    /// Does what `other` does as well, as if two nodes had: a key that both write gets both.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.writes.extend(other.writes);
        self.goto.extend(other.goto);
        self.parent = self.parent.or(other.parent);
        self
    }

    /// One write for each field of a struct or entry of a map.
    ///
    /// # Errors
    /// When `fields` does not serialize to a JSON object.
    pub fn of(fields: &impl Serialize) -> Result<Self, NodeError> {
        match serde_json::to_value(fields)? {
            Value::Object(fields) => Ok(fields
                .into_iter()
                .fold(Self::none(), |update, (key, value)| update.set(key, value))),
            Value::Null => Ok(Self::none()),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err(NodeError::bad_return("an update must be an object of state keys"))
            }
        }
    }

    /// Runs `target` in the next superstep, besides what the node's own edges reach.
    #[must_use]
    pub fn goto(mut self, target: impl Into<Target>) -> Self {
        self.goto.push(target.into());
        self
    }

    /// The writes by key, as they are shown.
    pub(super) fn shown(&self) -> Value {
        let mut shown = Map::new();
        for (key, _) in &self.writes {
            let mut writes = self.writes.iter().filter(|(other, _)| other == key);
            let mut writes: Vec<_> = writes.by_ref().map(|(_, write)| write.to_value()).collect();
            let value = match (writes.pop(), writes.is_empty()) {
                (Some(only), true) => only,
                (last, _) => {
                    json!({ "$writes": writes.into_iter().chain(last).collect::<Value>() })
                }
            };
            shown.insert(key.to_string(), value);
        }
        Value::Object(shown)
    }

    /// As the node gave it: an object of state keys, or, with jumps, a command.
    pub(super) fn returned(&self) -> Value {
        let update = self.shown();
        if self.goto.is_empty() {
            return update;
        }
        let mut command = json!({ "goto": super::engine::shown_targets(&self.goto) });
        if !self.writes.is_empty() {
            command["update"] = update;
        }
        json!({ "$command": command })
    }

    /// The writes, in the order in which they were made.
    pub fn writes(&self) -> impl Iterator<Item = (&str, &Write)> {
        self.writes.iter().map(|(key, write)| (key.as_ref(), write))
    }
}

/// Where a route or a jump leads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// A node, which will read the state.
    Node(Cow<'static, str>),
    /// One task of a node, which will read `arg` in place of the state.
    Send(SendTo),
    /// Nowhere: this branch is done.
    End,
}

/// One task of `node` in the next superstep with an input of its own: the unit of fan-out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SendTo {
    pub node: Cow<'static, str>,
    pub arg: Value,
}

impl SendTo {
    pub fn new(node: impl Into<Cow<'static, str>>, arg: impl Into<Value>) -> Self {
        Self { node: node.into(), arg: arg.into() }
    }
}

impl From<Cow<'static, str>> for Target {
    fn from(name: Cow<'static, str>) -> Self {
        if name == END { Self::End } else { Self::Node(name) }
    }
}

impl From<&'static str> for Target {
    fn from(name: &'static str) -> Self {
        Cow::Borrowed(name).into()
    }
}

impl From<String> for Target {
    fn from(name: String) -> Self {
        Cow::<'static, str>::Owned(name).into()
    }
}

impl From<SendTo> for Target {
    fn from(send: SendTo) -> Self {
        Self::Send(send)
    }
}

/// What a route may return: one target, several, or a failure.
pub trait IntoTargets {
    fn into_targets(self) -> Result<Vec<Target>, NodeError>;
}

impl<T: Into<Target>> IntoTargets for T {
    fn into_targets(self) -> Result<Vec<Target>, NodeError> {
        Ok(vec![self.into()])
    }
}

impl<T: Into<Target>> IntoTargets for Vec<T> {
    fn into_targets(self) -> Result<Vec<Target>, NodeError> {
        Ok(self.into_iter().map(Into::into).collect())
    }
}

impl<T: IntoTargets> IntoTargets for Result<T, NodeError> {
    fn into_targets(self) -> Result<Vec<Target>, NodeError> {
        self?.into_targets()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_later_write_of_a_key_replaces_the_earlier_one() {
        let update = Update::none().set("a", 1).set("b", 2).overwrite("a", 3);
        let writes: Vec<_> = update.writes().map(|(key, write)| (key, write.to_value())).collect();
        assert_eq!(writes, [("a", json!({"$overwrite": 3})), ("b", json!(2))]);
        let both = Update::none().set("a", 1).and(Update::none().set("a", 2));
        assert_eq!(both.writes().count(), 2);
    }

    #[test]
    fn an_update_comes_from_an_object_or_from_nothing() {
        let object = Update::of(&json!({"a": 1})).expect("an object is an update");
        assert_eq!(object, Update::none().set("a", 1));
        assert_eq!(Update::of(&()).expect("unit writes nothing"), Update::none());
        assert!(Update::of(&7).is_err());
    }

    #[test]
    fn the_end_is_told_from_a_node() {
        assert_eq!(Target::from(END), Target::End);
        assert_eq!(Target::from("tools"), Target::Node("tools".into()));
    }
}
