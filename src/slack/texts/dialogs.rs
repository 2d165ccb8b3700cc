//! The words of dialogs.

use crate::slack::card::CardView;

use super::tool_name;

/// The question above the pinned facts; `tool` is already escaped.
pub fn about_to_approve(view: &CardView<'_>) -> String {
    format!(
        "You are about to approve {}. If this completes the approval, it runs at once:",
        tool_name(view)
    )
}

pub fn about_to_reject(view: &CardView<'_>) -> String {
    format!(
        "You are about to reject {}. It will not run, and the agent is told why:",
        tool_name(view)
    )
}

pub fn reason_for_approval() -> &'static str {
    "Why do you approve it?"
}

pub fn reason_for_rejection() -> &'static str {
    "Why do you reject it? The requester and the agent read this."
}

pub fn confirm_title(tool: &str) -> String {
    format!("Approve {tool}?")
}

/// The second look before an approval: whole arguments only, and how many are not here.
pub fn confirm(tool: &str, arguments: &[String], left_out: usize) -> String {
    let mut text = format!("If this completes the approval, {tool} runs at once.");
    if !arguments.is_empty() {
        text.push_str(&format!("\n{}", arguments.join("\n")));
    }
    match left_out {
        0 => {}
        1 => text.push_str("\nOne more value stands on the card."),
        n => text.push_str(&format!("\n{n} more values stand on the card.")),
    }
    text
}

/// Title and question.
pub fn confirm_withdraw() -> (&'static str, &'static str) {
    ("Withdraw it?", "Nobody can approve it any more, and it will not run. You can ask again.")
}
