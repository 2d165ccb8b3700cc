//! The values under a graph's state keys.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::keys::Keys;
use super::reducer::{Folded, Refused};
use super::state::ValueRef;
use super::{Reducer, StateValue, Write};

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
        let saved = named.filter(|((_, reducer), _)| reducer.is_saved());
        saved.filter_map(|((name, _), slot)| Some((Arc::clone(name), slot.clone()?))).collect()
    }

    /// Folds one write into the key at `index`.
    pub(super) fn write(&mut self, index: usize, write: Write) -> Result<Folded, Refused> {
        let reducer = self.keys.reducer(index);
        let slot = &mut Arc::make_mut(&mut self.slots)[index];
        match write {
            Write::Value(value) => reducer.fold(slot, value),
            Write::Overwrite(value) => reducer.overwrite(slot, value),
        }
    }

    /// Empties the key at `index`; says whether it had a value.
    pub(super) fn empty(&mut self, index: usize) -> bool {
        if self.slots[index].is_none() {
            return false;
        }
        Arc::make_mut(&mut self.slots)[index] = None;
        true
    }

    /// These values with those that the runtime gives, for a node to read.
    pub(super) fn managed(&self, step: i64, last_step: i64) -> Self {
        let mut values = self.clone();
        if self.keys.managed().is_empty() {
            return values;
        }
        let slots = Arc::make_mut(&mut values.slots);
        for index in self.keys.managed() {
            let value = match self.keys.reducer(*index) {
                Reducer::IsLastStep => Value::from(step == last_step - 1),
                _ => Value::from(last_step - step),
            };
            slots[*index] = Some(StateValue::One(Arc::new(value)));
        }
        values
    }

    /// How many entries the list at `index` has; none for other keys.
    pub(super) fn entries(&self, index: usize) -> Option<usize> {
        self.slots[index].as_ref()?.entries().map(super::SharedList::len)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, ValueRef<'_>)> {
        let named = self.keys.iter().zip(&*self.slots);
        named.filter_map(|((name, _), slot)| Some((&**name, slot.as_ref()?.into())))
    }

    pub(super) fn get(&self, key: &str) -> Option<ValueRef<'_>> {
        self.slots[self.keys.index(key)?].as_ref().map(Into::into)
    }
}
