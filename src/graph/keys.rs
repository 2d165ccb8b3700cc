//! The state keys of a graph.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Reducer;

/// The state keys of a graph, in the order of their names.
#[derive(Debug)]
pub(super) struct Keys {
    keys: Vec<(Arc<str>, Reducer)>,
    /// The places of those that a superstep empties unless it writes them.
    fleeting: Vec<usize>,
    /// The places of those whose value the runtime gives.
    managed: Vec<usize>,
}

impl Keys {
    /// From keys that are sorted by name, each there once.
    pub(super) fn sorted(keys: BTreeMap<Arc<str>, Reducer>) -> Self {
        let keys: Vec<_> = keys.into_iter().collect();
        let places = |wanted: fn(Reducer) -> bool| {
            let found = keys.iter().enumerate().filter(|(_, (_, reducer))| wanted(*reducer));
            found.map(|(place, _)| place).collect()
        };
        let (fleeting, managed) = (places(Reducer::is_fleeting), places(Reducer::is_managed));
        Self { keys, fleeting, managed }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(Arc<str>, Reducer)> {
        self.keys.iter()
    }

    pub(super) fn index(&self, key: &str) -> Option<usize> {
        self.keys.binary_search_by(|(name, _)| (**name).cmp(key)).ok()
    }

    pub(super) fn name(&self, index: usize) -> &Arc<str> {
        &self.keys[index].0
    }

    pub(super) fn reducer(&self, index: usize) -> Reducer {
        self.keys[index].1
    }

    pub(super) fn fleeting(&self) -> &[usize] {
        &self.fleeting
    }

    pub(super) fn managed(&self) -> &[usize] {
        &self.managed
    }
}
