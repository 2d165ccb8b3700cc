//! `slack:` how we reach Slack, and how we know that a request really came from it.

use secrecy::SecretString;
use serde::Deserialize;
use url::Url;

use crate::base::Span;

/// How the workspace is reached.
#[derive(Clone, Debug)]
pub struct Slack {
    pub mode: Mode,
    /// At least one. A request signed with any of them counts, so that a secret can be rotated
    /// without missing a click.
    pub signing_secrets: Vec<SecretString>,
    /// The `xoxb-…` token of the installation.
    pub bot_token: SecretString,
    /// `A…`: when set, requests meant for another app are refused.
    pub app_id: Option<String>,
    /// Where Slack's methods are; ends with a slash. Another one than Slack's is a stand-in.
    pub api_url: Url,
    /// How long one call may take before its outcome counts as unknown.
    pub timeout: Span,
}

/// How events and clicks reach us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Slack calls us, signed.
    #[default]
    Http,
}
