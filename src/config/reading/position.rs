//! Where something stands in the file, so that every complaint can point at it.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use serde::{Deserialize, Deserializer};
use serde_saphyr::Spanned;

/// A place in the configuration file. Both count from one, as editors do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    pub line: u64,
    /// In characters, not bytes.
    pub column: u64,
}

/// A value that remembers where it was written. It compares and reads like the value alone.
#[derive(Clone, Debug)]
pub struct Located<T> {
    pub value: T,
    pub at: Position,
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Located<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // For an alias this is where the alias stands, not the anchor it repeats.
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let at = Position { line: spanned.referenced.line(), column: spanned.referenced.column() };
        Ok(Self { value: spanned.value, at })
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Located<T> {}

impl<T: PartialOrd> PartialOrd for Located<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: Ord> Ord for Located<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.value.cmp(&other.value)
    }
}

impl<T: Hash> Hash for Located<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl Located<String> {
    /// A default, which stands nowhere in the file.
    pub(in crate::config) fn unwritten(text: &str) -> Self {
        Self { value: text.to_owned(), at: Position::default() }
    }
}

/// The texts alone.
pub(in crate::config) fn values(texts: &[Located<String>]) -> Vec<String> {
    texts.iter().map(|text| text.value.clone()).collect()
}
