//! What can go wrong with a call, by what is to be done about it.

use crate::base::{Span, Timestamp};

/// A call that did not end in `ok: true`. Never holds a token or a URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Not sent: our own pacing says to wait.
    #[error("paced: not before {until}")]
    Paced { until: Timestamp },
    /// Slack said to wait; nothing was done.
    #[error("rate limited for {retry_after}")]
    RateLimited { retry_after: Span },
    /// Certainly not done; trying again later may help.
    #[error("not done: {why}")]
    NotDone { why: String },
    /// May have been done. A post is looked up before it is sent again.
    #[error("outcome unknown: {why}")]
    Unknown { why: String },
    /// The token or the installation is gone: stop and tell the operator.
    #[error("the installation is gone: {code}")]
    InstallationGone { code: String },
    /// A scope or a setting is missing: tell the operator what is needed.
    #[error("the app is not set up for this: {code} (needed: {})", .needed.as_deref().unwrap_or("see the code"))]
    SetupWrong {
        code: String,
        needed: Option<String>,
    },
    /// The channel, message, person or view is not there, or not for us.
    #[error("cannot be done there: {code}")]
    PlaceWrong { code: String },
    /// We sent something Slack will never take, or got a code we do not know. Do not repeat.
    #[error("refused: {code} {messages:?}")]
    OurBug { code: String, messages: Vec<String> },
}
