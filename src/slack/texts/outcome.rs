//! How a request ended and what ran.

use serde_json::Value;

use crate::approval::{DecidedBy, Decision, ExecutionState, Finding, Late, Outcome, Settled};
use crate::slack::card::{ExecutionView, Leaf, leaves};
use crate::slack::escape;

/// A result on a card is short; the agent and the record have all of it.
const NOTE: usize = 600;

/// Stands before who decided.
pub fn outcome_label(decision: &Decision) -> &'static str {
    match (decision.outcome, &decision.by) {
        (Outcome::Approved, _) => "Approved by",
        (Outcome::Rejected, _) => "Rejected by",
        (Outcome::Expired, _) => "Expired on",
        (Outcome::Cancelled, DecidedBy::Person(_)) => "Withdrawn by",
        (Outcome::Cancelled, DecidedBy::Restore { .. }) => "Cancelled by a restore, by",
        (Outcome::Cancelled, _) => "Cancelled by",
        (Outcome::Superseded, _) => "Replaced by",
    }
}

/// Goes after when it expired.
pub fn nobody_decided() -> &'static str {
    ", because nobody decided in time. That is not a no; it can be asked again."
}

pub fn nothing_ran() -> &'static str {
    "Nothing."
}

/// Before and after the time of the backup that a desk was put back to: what it cannot say of a request
/// that was open in it.
pub fn not_known_since() -> (&'static str, &'static str) {
    (
        "Not known. The desk was put back to a backup of ",
        ", and what was decided and done after that is not known here. Look where it would have taken \
         effect before you ask for it again.",
    )
}

/// Approved, and no worker has taken it yet.
pub fn about_to_run() -> &'static str {
    "It will run in a moment."
}

/// What became of the action, in one or two sentences.
pub fn ran(execution: &ExecutionView<'_>) -> String {
    let note = |lead: &str| {
        execution
            .note
            .map_or_else(String::new, |note| format!("{lead}{}", escape::clipped(note, NOTE)))
    };
    match execution.state {
        ExecutionState::Ordered | ExecutionState::Claimed => about_to_run().to_owned(),
        ExecutionState::Started if let Some(why) = execution.note => format!(
            "It was called, and it is not known yet whether it happened. In half a minute it is called \
             again under the same key or asked about, as its tool allows. What is known: {}",
            escape::clipped(why, NOTE)
        ),
        ExecutionState::Started => "It is running now.".to_owned(),
        ExecutionState::Succeeded => {
            let result = execution.note.map_or_else(String::new, |note| {
                format!(" Result: {}", fields(note).unwrap_or_else(|| escape::clipped(note, NOTE)))
            });
            format!("It ran and succeeded.{result}")
        }
        ExecutionState::Failed => {
            format!("It failed and certainly changed nothing.{}", note(" Why: "))
        }
        ExecutionState::Unknown if let Some(settled) = execution.settled => {
            let late = execution.late.map_or_else(String::new, |late| format!(" {}", said(late)));
            format!("{}{late}", found_out(settled))
        }
        ExecutionState::Unknown => format!(
            "OUTCOME UNKNOWN: it may or may not have happened. It will not be tried again by itself; \
             somebody must look and settle it.{}{}",
            note(" What is known: "),
            execution.late.map_or_else(String::new, |late| format!(". {}", said(late)))
        ),
        ExecutionState::Refused => format!("It was not started, so nothing ran.{}", note(" Why: ")),
    }
}

/// Evidence that came after somebody else had taken over.
fn said(late: &Late) -> String {
    format!("{}: {}", late_end(late.state), escape::clipped(&late.note, NOTE))
}

/// Stands before the words of a worker that somebody else had taken over from.
pub fn late_end(state: ExecutionState) -> &'static str {
    match state {
        ExecutionState::Succeeded => "A worker that had lost it said later that it succeeded",
        ExecutionState::Failed => "A worker that had lost it said later that nothing was changed",
        ExecutionState::Unknown
        | ExecutionState::Ordered
        | ExecutionState::Claimed
        | ExecutionState::Started
        | ExecutionState::Refused => "A worker that had lost it said later that no answer came",
    }
}

/// What a human found out about an outcome that was unknown.
fn found_out(settled: &Settled) -> String {
    let who = escape::name(&settled.by);
    let reason = escape::clipped(&settled.reason, NOTE);
    match settled.finding {
        Finding::Happened => format!("It did happen, as {who} found out: {reason}."),
        Finding::DidNotHappen => {
            format!("It did not happen, as {who} found out: {reason}. It can be asked for again.")
        }
        Finding::WrittenOff => format!(
            "Whether it happened could not be found out; {who} closed the matter: {reason}."
        ),
    }
}

/// A result that is a small JSON object, field by field: `amount = 640, refund = "re_77"`.
fn fields(note: &str) -> Option<String> {
    let value: Value = serde_json::from_str(note).ok().filter(Value::is_object)?;
    let fields: Option<Vec<String>> = leaves(&value).iter().map(Leaf::brief).collect();
    fields.map(|fields| fields.join(", ")).filter(|text| escape::length(text) <= NOTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_read_field_by_field_and_anything_unusual_stays_quoted() {
        for (note, shown) in [
            (r#"{"refund":"re_77","amount":640}"#, Some(r#"amount = 640, refund = "re_77""#)),
            (r#"{"refund":"re_77\", paid = \"x"}"#, Some(r#"refund = "re_77\", paid = \"x""#)),
            (r#"{"refund":"re_77\n"}"#, Some(r#"refund = "re_77\n""#)),
            ("refund re_77", None),
            ("[1, 2]", None),
            ("17", None),
        ] {
            assert_eq!(fields(note).as_deref(), shown, "{note}");
        }
    }
}
