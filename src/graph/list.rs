//! The list behind an append key: shared, so that growing it never copies its history.

use std::fmt;
use std::sync::Arc;

use serde::de::{Deserialize, Deserializer, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use serde_json::Value;

/// How many entries a chunk holds. Appending to a list that somebody else still holds copies at
/// most this many pointers, and once per chunk the pointers to the full chunks.
const CHUNK: usize = 64;

type Chunk = Arc<Vec<Arc<Value>>>;

/// An append-only list of JSON values whose clones share everything.
///
/// A clone costs two reference counts. An append costs the same at ten entries as at ten
/// thousand, whoever else holds the list: a node, a saver or an event sink.
#[derive(Clone, Default)]
pub struct SharedList {
    full: Arc<Vec<Chunk>>,
    tail: Chunk,
}

impl SharedList {
    /// An empty list.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many entries it has.
    pub fn len(&self) -> usize {
        self.full.len() * CHUNK + self.tail.len()
    }

    /// Whether it has no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Adds one entry at the end.
    pub fn push(&mut self, value: Value) {
        Arc::make_mut(&mut self.tail).push(Arc::new(value));
        if self.tail.len() == CHUNK {
            let chunk = std::mem::take(&mut self.tail);
            Arc::make_mut(&mut self.full).push(chunk);
        }
    }

    /// Replaces the entry at `index`, which must be there. Copies a chunk's pointers at most.
    pub(super) fn set(&mut self, index: usize, value: Value) {
        let within = index % CHUNK;
        let chunk = match index / CHUNK {
            full if full < self.full.len() => &mut Arc::make_mut(&mut self.full)[full],
            _ => &mut self.tail,
        };
        Arc::make_mut(chunk)[within] = Arc::new(value);
    }

    /// The entry at `index`, counted from zero.
    pub fn get(&self, index: usize) -> Option<&Value> {
        let chunk = self.full.get(index / CHUNK).unwrap_or(&self.tail);
        let within = if index / CHUNK < self.full.len() {
            index % CHUNK
        } else {
            index - self.full.len() * CHUNK
        };
        chunk.get(within).map(Arc::as_ref)
    }

    /// The last entry.
    pub fn last(&self) -> Option<&Value> {
        self.get(self.len().checked_sub(1)?)
    }

    /// All entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Value> {
        self.iter_from(0)
    }

    /// The entries from `start` on, without walking those before it: what was appended since a
    /// length that is known.
    pub fn iter_from(&self, start: usize) -> impl Iterator<Item = &Value> {
        let chunks = self.full.iter().chain(std::iter::once(&self.tail));
        let skipped = (start / CHUNK).min(self.full.len());
        chunks
            .skip(skipped)
            .flat_map(|chunk| chunk.iter())
            .map(Arc::as_ref)
            .skip(start - skipped * CHUNK)
    }
}

impl Extend<Value> for SharedList {
    fn extend<I: IntoIterator<Item = Value>>(&mut self, values: I) {
        for value in values {
            self.push(value);
        }
    }
}

impl FromIterator<Value> for SharedList {
    fn from_iter<I: IntoIterator<Item = Value>>(values: I) -> Self {
        let mut list = Self::new();
        list.extend(values);
        list
    }
}

impl PartialEq for SharedList {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl fmt::Debug for SharedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

impl Serialize for SharedList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter())
    }
}

impl<'de> Deserialize<'de> for SharedList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = SharedList;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<SharedList, A::Error> {
                let mut list = SharedList::new();
                while let Some(entry) = entries.next_element()? {
                    list.push(entry);
                }
                Ok(list)
            }
        }
        deserializer.deserialize_seq(Entries)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn numbers(count: usize) -> SharedList {
        (0..count).map(|n| json!(n)).collect()
    }

    #[test]
    fn every_entry_is_found_at_its_place_across_chunk_borders() {
        for count in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 5] {
            let list = numbers(count);
            assert_eq!(list.len(), count);
            for index in 0..count {
                assert_eq!(list.get(index), Some(&json!(index)), "{index} of {count}");
            }
            assert_eq!(list.get(count), None);
            assert_eq!(list.last(), count.checked_sub(1).map(|last| json!(last)).as_ref());
            for start in [0, 1, CHUNK, CHUNK + 1, count] {
                let rest: Vec<_> = list.iter_from(start).cloned().collect();
                let expected: Vec<_> = (start..count).map(|n| json!(n)).collect();
                assert_eq!(rest, expected, "from {start} of {count}");
            }
        }
    }

    #[test]
    fn appending_leaves_older_clones_as_they_were() {
        let mut list = numbers(CHUNK - 1);
        let before = list.clone();
        list.extend([json!("x"), json!("y")]);
        assert_eq!(before, numbers(CHUNK - 1));
        assert_eq!(list.len(), CHUNK + 1);
    }

    #[test]
    fn replacing_an_entry_leaves_older_clones_as_they_were() {
        for index in [0, CHUNK, 2 * CHUNK + 1] {
            let mut list = numbers(2 * CHUNK + 2);
            let before = list.clone();
            list.set(index, json!("x"));
            assert_eq!(list.get(index), Some(&json!("x")));
            assert_eq!(before, numbers(2 * CHUNK + 2));
        }
    }

    #[test]
    fn appending_to_a_held_list_shares_the_full_chunks() {
        let mut list = numbers(10 * CHUNK);
        let held = list.clone();
        list.push(json!("new"));
        assert!(Arc::ptr_eq(&list.full, &held.full));
    }
}
