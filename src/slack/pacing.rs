//! How fast we may call Slack. Nothing here sleeps: a call that is too early is told when.

use crate::base::{Span, Timestamp};
use crate::slack::client::Method;

/// The buckets of one workspace's token.
#[derive(Debug, Default)]
pub struct Pacing {}

impl Pacing {
    /// Takes one call, or says before when it must not be made.
    pub fn admit(
        &mut self,
        method: Method,
        channel: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        todo!("{method:?} {channel:?} {now}")
    }

    /// Slack said to wait with this method.
    pub fn hold(&mut self, method: Method, retry_after: Span, now: Timestamp) {
        todo!("{method:?} {retry_after} {now}")
    }
}
