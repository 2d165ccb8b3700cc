//! `limits:` how much one run or one requester may use.

use serde::Deserialize;

/// Upper bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many supersteps one run may take before it is stopped.
    pub recursion: u32,
    /// How many requests of one person may wait at the same time.
    pub pending_per_requester: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { recursion: 50, pending_per_requester: 20 }
    }
}
