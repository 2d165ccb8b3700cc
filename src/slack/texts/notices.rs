//! One-off messages: reminders, outcomes and results.

use super::card::place;
use super::when::rounded;
use super::{about_to_run, by, not_known_since, ran, tool_name};
use crate::approval::{Choice, DecidedBy, Outcome};
use crate::base::{ExecutionId, Span};
use crate::slack::card::block::utc;
use crate::slack::card::{CardView, Detail, ExecutionView, approvers, channel};
use crate::slack::escape;

/// Under a stage's card; names nobody, so that nobody is pinged twice.
pub fn reminder(view: &CardView<'_>, stage: usize, left: Span) -> String {
    let next = stage + 1;
    let then = if next < view.request.terms.path.len() {
        let who = approvers(view, next, Detail::Abridged);
        format!("After that {who} will be asked too.")
    } else {
        "After that it expires and nothing runs.".to_owned()
    };
    format!(
        "Still waiting for a decision: {}. Time left here: {}. {then}",
        tool_name(view),
        rounded(left)
    )
}

/// To the requester's thread: how it ended, and what the execution did if it has ended.
pub fn decided(view: &CardView<'_>) -> String {
    let tool = tool_name(view);
    let Some(decision) = &view.request.decision else {
        return format!("{tool} is still waiting for a decision.");
    };
    let who = match &decision.by {
        DecidedBy::Person(person) => by(person),
        DecidedBy::Operator(name) | DecidedBy::Restore { operator: name, .. } => {
            format!("the operator {}", escape::name(name))
        }
        DecidedBy::Time => "nobody".to_owned(),
        DecidedBy::Request(_) => "a newer request".to_owned(),
    };
    let reason = match &decision.reason {
        Some(reason) => format!(" Reason: {}.", escape::clipped(reason, 500)),
        None => String::new(),
    };
    match decision.outcome {
        Outcome::Approved => {
            let became = view.execution.as_ref().map_or_else(|| about_to_run().to_owned(), ran);
            format!("{who} approved {tool}.{reason} {became}")
        }
        Outcome::Rejected => format!("{who} rejected {tool}, so nothing ran.{reason}"),
        Outcome::Expired => format!(
            "{tool} expired: nobody decided in time, so nothing ran. That is not a no; you can ask again."
        ),
        Outcome::Cancelled if let DecidedBy::Restore { to, .. } = &decision.by => {
            let (lead, rest) = not_known_since();
            format!(
                "{tool} was cancelled by {who}, who restored the desk.{reason} Whether it was approved and \
                 ran? {lead}{}{rest}",
                utc(*to)
            )
        }
        Outcome::Cancelled => format!("{tool} was cancelled by {who}, so nothing ran.{reason}"),
        Outcome::Superseded => {
            format!("{tool} was replaced by a newer request. This one will not run.")
        }
    }
}

/// To the requester's thread: a stage's approvers could not be shown the request.
pub fn undeliverable(view: &CardView<'_>, stage: usize) -> String {
    let who = approvers(view, stage, Detail::Abridged);
    let place = place(&channel(view, stage, Detail::Abridged));
    let why = view
        .undeliverable
        .map_or_else(String::new, |why| format!(" ({})", escape::clipped(why, 200)));
    let next = stage + 1;
    let then = if next < view.request.terms.path.len() {
        format!("I ask {} now instead.", approvers(view, next, Detail::Abridged))
    } else {
        "Nobody else is left to ask; please tell the person who runs Countersign.".to_owned()
    };
    format!("I could not show {} to {who}{place}{why}. {then}", tool_name(view))
}

/// To the requester's thread: what became of an action that a rule allowed, when the agent cannot know.
pub fn became(tool: &str, execution: &ExecutionView<'_>) -> String {
    format!("{}, which a rule allowed: {}", escape::name(tool), ran(execution))
}

/// To the requester's thread: an action is not done because an equal one may have happened.
pub fn not_again(tool: &str, unsettled: &ExecutionId) -> String {
    format!(
        "I did not do {} again: nobody knows yet whether the same was done before ({unsettled}). Once \
         somebody has looked and settled that (countersign requests settle {unsettled} …), it can be \
         asked for again.",
        escape::name(tool)
    )
}

/// To the person who voted, in the dialog they voted in.
pub fn counted(view: &CardView<'_>, choice: Choice) -> String {
    let tool = tool_name(view);
    match (choice, &view.request.decision) {
        (Choice::Approve, Some(_)) => {
            format!("Thank you. {tool} is approved and will run in a moment.")
        }
        (Choice::Approve, None) => {
            format!("Thank you, your approval of {tool} is counted. It needs somebody else's too.")
        }
        (Choice::Reject, _) => format!("Thank you. {tool} is rejected and will not run."),
    }
}

/// To the requester who withdrew it.
pub fn withdrawn(view: &CardView<'_>) -> String {
    format!("{} is withdrawn. Nobody can approve it any more.", tool_name(view))
}
