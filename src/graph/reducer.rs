//! How writes to a state key are folded into its value.

use serde::{Deserialize, Serialize};

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
