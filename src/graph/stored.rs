//! The form in which a database keeps checkpoints: what changed, and no more.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Error, Value};

use super::{Change, Checkpoint, StateValue};

/// A checkpoint in parts: its values apart, and of them only what is new.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    /// Everything but the values.
    pub body: Value,
    /// The state keys that have a value.
    pub keys: Vec<String>,
    pub changes: Vec<StoredChange>,
}

/// A new value of a state key, or what was appended to it.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredChange {
    pub key: String,
    /// How many entries the list had before, if these are further ones; zero if this is the whole
    /// value.
    pub start: usize,
    pub value: Value,
}

impl Checkpoint {
    /// Takes it apart.
    ///
    /// # Errors
    /// None that plain data can cause.
    pub fn into_stored(mut self) -> Result<Stored, Error> {
        let (values, changed) =
            (std::mem::take(&mut self.values), std::mem::take(&mut self.changed));
        let mut changes = Vec::with_capacity(changed.len());
        for (key, change) in changed {
            let (start, value) = match (change, values.get(&key)) {
                (Change::Removed, _) | (_, None) => continue,
                (Change::Replaced, Some(value)) => (0, serde_json::to_value(value)?),
                (Change::Appended { from }, Some(value)) => match value.entries() {
                    Some(list) if list.len() == from => continue,
                    Some(list) => (from, list.iter_from(from).cloned().collect()),
                    None => (0, serde_json::to_value(value)?),
                },
            };
            changes.push(StoredChange { key: key.to_string(), start, value });
        }
        let keys = values.into_keys().map(|key| key.to_string()).collect();
        Ok(Stored { body: serde_json::to_value(self)?, keys, changes })
    }

    /// Puts it together again. Keys that never changed are left out, and begin as if fresh.
    ///
    /// # Errors
    /// When `body` is not what [`into_stored`](Self::into_stored) gave.
    pub fn from_stored(body: Value, values: BTreeMap<String, Value>) -> Result<Self, Error> {
        let mut checkpoint: Self = serde_json::from_value(body)?;
        let values = values.into_iter();
        checkpoint.values =
            values.map(|(key, value)| (Arc::from(key), StateValue::One(Arc::new(value)))).collect();
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_changed_is_stored() {
        let list = |n: usize| StateValue::List((0..n).map(|n| json!(n)).collect());
        let one = |value: Value| StateValue::One(Arc::new(value));
        let checkpoint = Checkpoint {
            values: [
                ("grown", list(10_000)),
                ("kept", list(3)),
                ("same", list(2)),
                ("whole", one(json!(7))),
            ]
            .map(|(key, value)| (Arc::from(key), value))
            .into(),
            changed: [
                ("gone", Change::Removed),
                ("grown", Change::Appended { from: 9_999 }),
                ("same", Change::Appended { from: 2 }),
                ("whole", Change::Replaced),
            ]
            .map(|(key, change)| (Arc::from(key), change))
            .into(),
            ..Checkpoint::default()
        };
        let stored = checkpoint.into_stored().expect("plain data");
        assert_eq!(stored.keys, ["grown", "kept", "same", "whole"]);
        let change = |key: &str, start, value| StoredChange { key: key.to_owned(), start, value };
        assert_eq!(
            stored.changes,
            [change("grown", 9_999, json!([9_999])), change("whole", 0, json!(7))]
        );
        assert!(stored.body.to_string().len() < 300, "{}", stored.body);
        let values = [("whole".to_owned(), json!(7))].into();
        let back = Checkpoint::from_stored(stored.body, values).expect("its own form");
        assert_eq!(back.values.len(), 1);
    }
}
