//! The words on a card.

use crate::approval::{DecidedBy, ExecutionState, Finding, Outcome, RetryClass};
use crate::base::Span;
use crate::slack::card::block::utc;
use crate::slack::card::{CardView, Detail, name};
use crate::slack::escape;

/// A tool's name is cut to this where a line has little room.
const TOOL: usize = 80;

/// Why a stage was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escalation {
    NotDecided,
    NotShown,
}

/// The tool's name for a headline.
pub fn tool_name(view: &CardView<'_>) -> String {
    let tool = &view.sealed.envelope().tool.name;
    let whole = escape::name(tool);
    if escape::length(&whole) <= TOOL { whole } else { escape::clipped(tool, TOOL - 40) }
}

/// The first line of a card.
pub fn headline(view: &CardView<'_>, stage: usize) -> String {
    let tool = tool_name(view);
    let decision = view.request.decision.as_ref();
    if let Some(DecidedBy::Restore { .. }) = decision.map(|decision| &decision.by) {
        return format!("Cancelled by a restore, not known whether it ran: {tool}");
    }
    match decision.map(|decision| decision.outcome) {
        None if stage > 0 => format!("Escalated, please decide: {tool}"),
        None => format!("Please decide: {tool}"),
        Some(Outcome::Approved) => format!("{}: {tool}", approved(view)),
        Some(Outcome::Rejected) => format!("Rejected: {tool}"),
        Some(Outcome::Expired) => format!("Expired: {tool}"),
        Some(Outcome::Cancelled) => format!("Cancelled: {tool}"),
        Some(Outcome::Superseded) => format!("Replaced: {tool}"),
    }
}

/// An approval alone is not the end of the story.
fn approved(view: &CardView<'_>) -> &'static str {
    if let Some(settled) = view.execution.and_then(|execution| execution.settled) {
        return match settled.finding {
            Finding::Happened => "Approved, and it happened",
            Finding::DidNotHappen => "Approved, but it did not happen",
            Finding::WrittenOff => "Approved, outcome never found out",
        };
    }
    match view.execution.map(|execution| execution.state) {
        None
        | Some(ExecutionState::Ordered | ExecutionState::Claimed | ExecutionState::Started) => {
            "Approved"
        }
        Some(ExecutionState::Succeeded) => "Approved and done",
        Some(ExecutionState::Failed) => "Approved, but it failed",
        Some(ExecutionState::Unknown) => "Approved, outcome unknown",
        Some(ExecutionState::Refused) => "Approved, but not started",
    }
}

/// What a notification shows. Facts only and no arguments: it is read on locked screens.
pub fn card_fallback(view: &CardView<'_>, stage: usize) -> String {
    let asker = name(&view.request.requester.name, Detail::Abridged);
    let until = utc(view.request.decide_by());
    let text = if view.request.is_pending() {
        format!("{}. Asked by {asker}, open until {until}.", headline(view, stage))
    } else {
        format!("{}. Asked by {asker}.", headline(view, stage))
    };
    escape::mrkdwn(&text)
}

/// A rule's condition could not be evaluated, so a human is asked.
pub fn condition_failed(because: &str) -> String {
    let because = escape::clipped(because, 300);
    format!("A human is asked because the rule's condition failed: {because}")
}

/// Why the next stage is asked too; the time at which these people were asked follows.
pub fn escalated_from(why: Escalation, approvers: &str, channel: &str) -> String {
    match why {
        Escalation::NotDecided => {
            format!("Not decided in time by {approvers}{}, asked on ", place(channel))
        }
        Escalation::NotShown => {
            format!("Slack could not show it to {approvers}{}, due there on ", place(channel))
        }
    }
}

pub fn who_may_decide(approvers: &str, channel: &str, quorum: u32, approved: usize) -> String {
    let place = place(channel);
    if quorum > 1 {
        format!("{approvers}{place}. {quorum} people must approve; {approved} of {quorum} so far.")
    } else {
        format!("{approvers}{place}. One approval is enough.")
    }
}

pub fn not_the_requester() -> &'static str {
    " The requester may not decide."
}

pub fn separation_waived() -> &'static str {
    "The policy lets the requester decide on this too (separation of duties is waived)."
}

pub fn reason_needed() -> &'static str {
    " An approval needs a reason."
}

/// Goes between when the stage ends and when the whole request does.
pub fn then_escalates(approvers: &str, channel: &str) -> String {
    format!(", {approvers}{} will be asked too. The time is over on ", place(channel))
}

/// Goes after the last deadline.
pub fn then_expires() -> &'static str {
    ": then it expires and nothing runs."
}

pub fn must_start_within(valid_for: Span) -> String {
    format!("it must start within {valid_for}, or it will not run.")
}

/// Some approvers could not be reached; `why` is a code or sentence of Slack's.
pub fn not_shown(why: &str) -> String {
    let why = escape::clipped(why, 200);
    format!("Slack could not show this request to everybody who may decide: {why}")
}

/// What a second try would do, as the tool's author declared it.
pub fn retry_class(class: RetryClass) -> &'static str {
    match class {
        RetryClass::Pure => "changes nothing",
        RetryClass::Keyed => "safe to repeat with its key",
        RetryClass::Probe => "can be asked whether it happened",
        RetryClass::Once => "cannot be repeated safely",
    }
}

/// Above the agent's words.
pub fn claim_label() -> &'static str {
    "What the agent says about it (its own words, not checked):"
}

/// Something is not on the card, but in the dialog.
pub fn behind_show_all(view: &CardView<'_>) -> &'static str {
    if view.is_open() {
        "Parts are shortened here. Show all has every byte, and it is where you can approve."
    } else {
        "Parts are shortened here. Show all has every byte."
    }
}

/// Nothing in Slack can hold it.
pub fn too_big(view: &CardView<'_>) -> &'static str {
    if view.is_open() {
        "This action is too big to be shown whole in Slack, so nobody can approve it. It can be \
         rejected; ask for it again in smaller parts."
    } else {
        "Parts are shortened here: the action is too big to be shown whole in Slack."
    }
}

pub(super) fn place(channel: &str) -> String {
    if channel.is_empty() { String::new() } else { format!(" in {channel}") }
}
