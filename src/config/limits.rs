//! `limits:` how much one run or one requester may use.

use std::num::NonZeroU32;

use serde::Deserialize;

/// Upper bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many supersteps one run may take before it is stopped.
    pub recursion: NonZeroU32,
    /// How many requests of one person may wait at the same time.
    pub pending_per_requester: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        let at_most = |count: u32| NonZeroU32::MIN.saturating_add(count - 1);
        Self { recursion: at_most(50), pending_per_requester: at_most(20) }
    }
}
