//! Every sentence people read in Slack, one named function each.
//!
//! They return plain text; [`say`] makes a message of one, in which nothing is markup.

mod commands;
mod errors;
mod notices;
mod refusals;

pub use commands::{ListedRequest, StatusFacts, help, list, status, unknown_command};
pub use errors::{nothing_happened, queued_behind, run_failed, too_slow};
pub use notices::{decided, reminder, undeliverable};
pub use refusals::{incomplete, refusal, unknown_button};

use super::card::Rendered;

/// A message of plain text: no markup, no links, no emoji codes.
pub fn say(text: &str) -> Rendered {
    todo!("{text}")
}

/// An agent's own words: Markdown, with Slack's tokens, masked links and images made inert.
pub fn agent_reply(text: &str) -> Rendered {
    todo!("{text}")
}
