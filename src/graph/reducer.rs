//! How writes to a state key are folded into its value.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{SharedList, StateValue};

/// What a write to a key does with the value that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reducer {
    /// The key holds the last value. Two writes in one superstep are refused. No initial value.
    LastValue,
    /// The key holds a list; a write is a list of entries to append. Initially empty.
    Append,
    /// The key holds a number; a write is added to it. Initially zero.
    Sum,
    /// The key holds an object; a write's entries replace those of the same name. Initially empty.
    Merge,
}

/// Why a write was refused, as the end of a sentence about it.
pub(super) type Refused = &'static str;

impl Reducer {
    /// The value before the first write.
    pub(super) fn initial(self) -> Option<StateValue> {
        match self {
            Self::LastValue => None,
            Self::Append => Some(StateValue::List(SharedList::new())),
            Self::Sum => Some(StateValue::One(Arc::new(Value::from(0)))),
            Self::Merge => Some(StateValue::One(Arc::new(Value::Object(Map::new())))),
        }
    }

    /// Whether one superstep may write the key more than once.
    pub(super) fn takes_many(self) -> bool {
        match self {
            Self::LastValue => false,
            Self::Append | Self::Sum | Self::Merge => true,
        }
    }

    /// Folds one write into `slot`.
    pub(super) fn fold(self, slot: &mut Option<StateValue>, write: Value) -> Result<(), Refused> {
        match (self, slot, write) {
            (Self::LastValue, slot, write) => *slot = Some(StateValue::One(Arc::new(write))),
            (Self::Append, Some(StateValue::List(list)), Value::Array(entries)) => {
                list.extend(entries);
            }
            (Self::Append, _, _) => return Err("an append key takes a list of entries"),
            (Self::Sum, Some(StateValue::One(total)), Value::Number(number)) => {
                *total = Arc::new(add(total, &number)?);
            }
            (Self::Sum, _, _) => return Err("a sum key takes a number"),
            (Self::Merge, Some(StateValue::One(known)), Value::Object(entries)) => {
                match Arc::make_mut(known) {
                    Value::Object(known) => known.extend(entries),
                    _ => return Err("a merge key holds an object"),
                }
            }
            (Self::Merge, _, _) => return Err("a merge key takes an object"),
        }
        Ok(())
    }

    /// Takes back a value that was saved, if it is one this reducer can have made.
    pub(super) fn restore(self, saved: StateValue) -> Option<StateValue> {
        match (self, saved) {
            (Self::Append, StateValue::List(list)) => Some(StateValue::List(list)),
            (Self::Append, StateValue::One(value)) => match Arc::unwrap_or_clone(value) {
                Value::Array(entries) => Some(StateValue::List(entries.into_iter().collect())),
                _ => None,
            },
            (Self::LastValue, StateValue::One(value)) => Some(StateValue::One(value)),
            (Self::Sum, StateValue::One(value)) if value.is_number() => {
                Some(StateValue::One(value))
            }
            (Self::Merge, StateValue::One(value)) if value.is_object() => {
                Some(StateValue::One(value))
            }
            (Self::LastValue | Self::Sum | Self::Merge, _) => None,
        }
    }
}

fn add(total: &Value, number: &serde_json::Number) -> Result<Value, Refused> {
    if let (Some(a), Some(b)) = (total.as_i64(), number.as_i64()) {
        return a.checked_add(b).map(Value::from).ok_or("the sum is too large");
    }
    match (total.as_f64(), number.as_f64()) {
        (Some(a), Some(b)) if (a + b).is_finite() => Ok(Value::from(a + b)),
        _ => Err("the sum is too large"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Reducer::{Append, LastValue, Merge, Sum};
    use super::*;

    #[test]
    fn each_reducer_folds_its_own_way() {
        let table = [
            (LastValue, vec![json!(1), json!([2])], Ok(json!([2]))),
            (Append, vec![], Ok(json!([]))),
            (Append, vec![json!([1, 2]), json!([]), json!([3])], Ok(json!([1, 2, 3]))),
            (Append, vec![json!(1)], Err("an append key takes a list of entries")),
            (Sum, vec![], Ok(json!(0))),
            (Sum, vec![json!(2), json!(-5)], Ok(json!(-3))),
            (Sum, vec![json!(1), json!(0.5)], Ok(json!(1.5))),
            (Sum, vec![json!(i64::MAX), json!(1)], Err("the sum is too large")),
            (Sum, vec![json!("1")], Err("a sum key takes a number")),
            (Merge, vec![json!({"a": 1, "b": 1}), json!({"b": 2})], Ok(json!({"a": 1, "b": 2}))),
            (Merge, vec![json!([])], Err("a merge key takes an object")),
        ];
        for (reducer, writes, expected) in table {
            let mut slot = reducer.initial();
            let folded = writes.iter().try_for_each(|w| reducer.fold(&mut slot, w.clone()));
            let outcome = folded.map(|()| serde_json::to_value(&slot).expect("plain data"));
            assert_eq!(outcome, expected, "{reducer:?} of {writes:?}");
        }
    }

    #[test]
    fn what_was_saved_comes_back_and_what_cannot_be_does_not() {
        let one = |value: Value| StateValue::One(Arc::new(value));
        let list: SharedList = [json!(1)].into_iter().collect();
        assert_eq!(Append.restore(one(json!([1]))), Some(StateValue::List(list)));
        for (reducer, foreign) in [(Append, json!(1)), (Sum, json!([])), (Merge, json!(null))] {
            assert_eq!(reducer.restore(one(foreign)), None, "{reducer:?}");
        }
    }
}
