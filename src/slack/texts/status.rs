//! The live line in the requester's thread.

use crate::approval::Outcome;
use crate::slack::card::{CardView, Detail, name};
use crate::slack::escape;

use super::card::place;
use super::tool_name;

pub fn waits_for(approvers: &str, channel: &str) -> String {
    format!("waits for {approvers}{}", place(channel))
}

pub fn goes_to(approvers: &str, channel: &str) -> String {
    format!(" it goes to {approvers}{} too.", place(channel))
}

/// How it ended, in one word after the tool's name.
pub fn status_word(view: &CardView<'_>) -> &'static str {
    match view.request.decision.as_ref().map(|decision| decision.outcome) {
        None => "is waiting.",
        Some(Outcome::Approved) => "was approved.",
        Some(Outcome::Rejected) => "was rejected.",
        Some(Outcome::Expired) => "expired.",
        Some(Outcome::Cancelled) => "was cancelled.",
        Some(Outcome::Superseded) => "was replaced by a newer request.",
    }
}

/// For notifications: the state without arguments, in escaped mrkdwn.
pub fn status_fallback(view: &CardView<'_>) -> String {
    let who = crate::slack::card::approvers(view, view.request.stage, Detail::Abridged);
    let tool = name(&tool_name(view), Detail::Abridged);
    let text = if view.request.is_pending() {
        format!("{tool} {}.", waits_for(&who, ""))
    } else {
        format!("{tool} {}", status_word(view))
    };
    escape::mrkdwn(&text)
}
