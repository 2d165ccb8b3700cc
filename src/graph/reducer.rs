//! How writes to a state key are folded into its value.

mod index;
mod messages;

use std::borrow::Cow;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use self::messages::MessageList;
pub(super) use self::messages::normalized;
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
    /// The key holds messages; a write is a message or a list of them. A known id replaces its
    /// message in place or removes it, anything else is appended. LangGraph's `add_messages`.
    Messages,
    /// The key holds the last of any number of writes, for one superstep.
    AnyValue,
    /// As `LastValue`, but for one superstep.
    Ephemeral,
    /// As `LastValue`, but never saved.
    Untracked,
    /// The key holds the list of what one superstep wrote, for the next; a write is an entry or a
    /// list of them.
    Topic,
    /// How many supersteps the run may still do. Only read.
    RemainingSteps,
    /// Whether this is the last superstep that the run may do. Only read.
    IsLastStep,
}

/// What a fold did to the value, for those who store what changed and no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folded {
    /// It has further entries; those that were there are as they were.
    Appended,
    Replaced,
}

/// Why a write was refused, as the end of a sentence about it.
pub(super) type Refused = Cow<'static, str>;

impl Reducer {
    /// The value before the first write.
    pub(super) fn initial(self) -> Option<StateValue> {
        match self {
            Self::Append => Some(StateValue::List(SharedList::new())),
            Self::Messages => Some(StateValue::Messages(MessageList::default())),
            Self::Sum => Some(StateValue::One(Arc::new(Value::from(0)))),
            Self::Merge => Some(StateValue::One(Arc::new(Value::Object(Map::new())))),
            Self::LastValue
            | Self::AnyValue
            | Self::Ephemeral
            | Self::Untracked
            | Self::Topic
            | Self::RemainingSteps
            | Self::IsLastStep => None,
        }
    }

    /// Whether one superstep may write the key more than once.
    pub(super) fn takes_many(self) -> bool {
        match self {
            Self::LastValue | Self::Ephemeral | Self::Untracked => false,
            Self::Append | Self::Sum | Self::Merge | Self::Messages => true,
            Self::AnyValue | Self::Topic | Self::RemainingSteps | Self::IsLastStep => true,
        }
    }

    /// Whether a superstep that does not write the key empties it.
    pub(super) fn is_fleeting(self) -> bool {
        matches!(self, Self::AnyValue | Self::Ephemeral | Self::Topic)
    }

    /// Whether the runtime gives the value, for nodes to read.
    pub(super) fn is_managed(self) -> bool {
        matches!(self, Self::RemainingSteps | Self::IsLastStep)
    }

    /// Whether the value is saved.
    pub(super) fn is_saved(self) -> bool {
        !matches!(self, Self::Untracked) && !self.is_managed()
    }

    /// Whether an overwrite means anything: without a reducer it is a plain write.
    pub(super) fn reduces(self) -> bool {
        matches!(self, Self::Append | Self::Sum | Self::Merge | Self::Messages)
    }

    /// Folds one write into `slot`.
    pub(super) fn fold(
        self,
        slot: &mut Option<StateValue>,
        write: Value,
    ) -> Result<Folded, Refused> {
        match (self, slot, write) {
            (Self::LastValue | Self::AnyValue | Self::Ephemeral | Self::Untracked, slot, write) => {
                *slot = Some(StateValue::One(Arc::new(write)))
            }
            (Self::Append, Some(StateValue::List(list)), Value::Array(entries)) => {
                list.extend(entries);
                return Ok(Folded::Appended);
            }
            (Self::Append, _, _) => return Err("an append key takes a list of entries".into()),
            (Self::Messages, Some(StateValue::Messages(known)), write) => return known.add(write),
            (Self::Messages, _, _) => return Err("a message key takes messages".into()),
            (Self::Topic, slot, write) => {
                let mut list = match slot.take() {
                    Some(StateValue::List(list)) => list,
                    _ => SharedList::new(),
                };
                match write {
                    Value::Array(entries) => list.extend(entries),
                    entry => list.push(entry),
                }
                *slot = (!list.is_empty()).then_some(StateValue::List(list));
            }
            (Self::Sum, Some(StateValue::One(total)), Value::Number(number)) => {
                *total = Arc::new(add(total, &number)?);
            }
            (Self::Sum, _, _) => return Err("a sum key takes a number".into()),
            (Self::Merge, Some(StateValue::One(known)), Value::Object(entries)) => {
                match Arc::make_mut(known) {
                    Value::Object(known) => known.extend(entries),
                    _ => return Err("a merge key holds an object".into()),
                }
            }
            (Self::Merge, _, _) => return Err("a merge key takes an object".into()),
            (Self::RemainingSteps | Self::IsLastStep, _, _) => {
                return Err("the runtime gives its value".into());
            }
        }
        Ok(Folded::Replaced)
    }

    /// Makes `value` the value, past the reducer.
    pub(super) fn overwrite(
        self,
        slot: &mut Option<StateValue>,
        value: Value,
    ) -> Result<Folded, Refused> {
        if !self.reduces() {
            return self.fold(slot, value);
        }
        match self.restore(StateValue::One(Arc::new(value))) {
            Some(value) => *slot = Some(value),
            None => return Err("the overwrite is not what its reducer could have made".into()),
        }
        Ok(Folded::Replaced)
    }

    /// Takes back a value that was saved, if it is one this reducer can have made.
    pub(super) fn restore(self, saved: StateValue) -> Option<StateValue> {
        let fits = match (self, &saved) {
            (Self::Append | Self::Topic, StateValue::List(_))
            | (Self::Messages, StateValue::Messages(_))
            | (
                Self::LastValue | Self::AnyValue | Self::Ephemeral | Self::Untracked,
                StateValue::One(_),
            ) => true,
            (Self::Sum, StateValue::One(value)) => value.is_number(),
            (Self::Merge, StateValue::One(value)) => value.is_object(),
            (Self::Append | Self::Topic | Self::Messages, _) => {
                let list = saved.into_list()?;
                return Some(match self {
                    Self::Messages => StateValue::Messages(MessageList::of(list)?),
                    _ => StateValue::List(list),
                });
            }
            (_, _) => false,
        };
        fits.then_some(saved)
    }
}

fn add(total: &Value, number: &serde_json::Number) -> Result<Value, Refused> {
    if let (Some(a), Some(b)) = (total.as_i64(), number.as_i64()) {
        return a.checked_add(b).map(Value::from).ok_or_else(|| "the sum is too large".into());
    }
    match (total.as_f64(), number.as_f64()) {
        (Some(a), Some(b)) if (a + b).is_finite() => Ok(Value::from(a + b)),
        _ => Err("the sum is too large".into()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Reducer::{AnyValue, Append, LastValue, Merge, Messages, Sum, Topic};
    use super::*;

    #[test]
    fn each_reducer_folds_its_own_way() {
        let table = [
            (LastValue, vec![json!(1), json!([2])], Ok(json!([2]))),
            (AnyValue, vec![json!(1), json!(2)], Ok(json!(2))),
            (Topic, vec![json!("a"), json!(["b", "c"])], Ok(json!(["a", "b", "c"]))),
            (Topic, vec![json!([])], Ok(json!(null))),
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
            (Reducer::IsLastStep, vec![json!(true)], Err("the runtime gives its value")),
        ];
        for (reducer, writes, expected) in table {
            let mut slot = reducer.initial();
            let folded =
                writes.iter().try_for_each(|w| reducer.fold(&mut slot, w.clone()).map(drop));
            let outcome = folded.map(|()| serde_json::to_value(&slot).expect("plain data"));
            assert_eq!(outcome, expected.map_err(Into::into), "{reducer:?} of {writes:?}");
        }
    }

    #[test]
    fn what_was_saved_comes_back_and_what_cannot_be_does_not() {
        let one = |value: Value| StateValue::One(Arc::new(value));
        let list: SharedList = [json!(1)].into_iter().collect();
        assert_eq!(Append.restore(one(json!([1]))), Some(StateValue::List(list)));
        let foreign = [(Append, json!(1)), (Sum, json!([])), (Merge, json!(null))];
        let foreign = foreign.into_iter().chain([(Messages, json!([1]))]);
        for (reducer, foreign) in foreign {
            assert_eq!(reducer.restore(one(foreign)), None, "{reducer:?}");
        }
    }

    #[test]
    fn an_overwrite_goes_past_the_reducer_but_not_past_its_form() {
        let mut slot = Append.initial();
        Append.fold(&mut slot, json!(["old"])).expect("a list");
        Append.overwrite(&mut slot, json!(["new"])).expect("a list");
        assert_eq!(serde_json::to_value(&slot).expect("plain data"), json!(["new"]));
        assert!(Append.overwrite(&mut slot, json!("text")).is_err());
    }
}
