//! Finds messages by id, whoever else holds the list, without copying what is there.

use std::collections::HashMap;
use std::sync::Arc;

/// A map of ids to places, as maps of shrinking size: a new one joins those that are no larger.
/// A clone shares all of them, so an append costs a few steps (amortised) at any length.
#[derive(Clone, Default)]
pub(super) struct Index(Vec<Arc<HashMap<Arc<str>, usize>>>);

impl Index {
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.0.iter().rev().find_map(|part| part.get(id).copied())
    }

    /// Adds an id that is not there yet.
    pub(super) fn insert(&mut self, id: &str, place: usize) {
        let mut newest = HashMap::from([(Arc::from(id), place)]);
        while let Some(older) = self.0.pop_if(|older| older.len() <= newest.len()) {
            newest.extend(older.iter().map(|(id, place)| (Arc::clone(id), *place)));
        }
        self.0.push(Arc::new(newest));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_found_and_there_are_few_parts() {
        let mut index = Index::default();
        for place in 0..1000 {
            index.insert(&format!("m{place}"), place);
        }
        for place in 0..1000 {
            assert_eq!(index.find(&format!("m{place}")), Some(place));
        }
        assert_eq!(index.find("m1000"), None);
        assert!(index.0.len() <= 10, "{}", index.0.len());
    }
}
