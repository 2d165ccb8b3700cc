//! A request that waits while those who are asked cannot see it.

use crate::base::{Span, Timestamp};

/// That nobody who is asked now is shown a request, although it is time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseen {
    /// When the first of those were asked who cannot see it.
    pub since: Timestamp,
    /// What came of the last try to show it; absent while nobody has tried.
    pub why: Option<String>,
    /// It can never be shown there, so nobody tries any more.
    pub given_up: bool,
}

impl Unseen {
    /// Approvers see what they are asked within this, or it is said that they do not.
    pub const IN_TIME: Span = Span::seconds(60);
}
