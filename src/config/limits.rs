//! `limits:` how much one run may use.

use std::num::NonZeroU32;

use serde::Deserialize;

/// An upper bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// How many supersteps one run may take before it is stopped.
    pub recursion: NonZeroU32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { recursion: NonZeroU32::MIN.saturating_add(49) }
    }
}
