//! How a request ended and what became of its action.

use serde_json::Value;

use super::CardView;
use super::block::Prose;
use super::facts::name;
use super::lines::Detail;
use super::people::person;
use crate::approval::{Choice, DecidedBy, Decision, Outcome};
use crate::slack::escape;
use crate::slack::texts;

/// Reasons and results are data of any length; the full text is in the record.
const REASON: usize = 500;

/// Who, when, why and what ran; nothing while the request is open.
pub fn block(view: &CardView<'_>, detail: Detail) -> Option<Value> {
    let decision = view.request.decision.as_ref()?;
    let mut prose = decided_by(view, decision, detail);
    if let Some(reason) = &decision.reason {
        prose = prose.line("Reason:").text(&escape::clipped(reason, REASON));
    }
    Some(execution(prose.line("What ran:"), view, decision).block())
}

/// Adds what became of the action, with the time when it ended.
pub fn execution(prose: Prose, view: &CardView<'_>, decision: &Decision) -> Prose {
    if let DecidedBy::Restore { to, .. } = &decision.by {
        let (lead, rest) = texts::not_known_since();
        return prose.text(lead).date(*to).text(rest);
    }
    match (decision.outcome, view.execution) {
        (Outcome::Approved, Some(execution)) => {
            let prose = prose.text(&texts::ran(&execution));
            match execution.settled.map(|settled| settled.at).or(execution.ended_at) {
                Some(at) => prose.text(" (").date(at).text(")"),
                None => prose,
            }
        }
        (Outcome::Approved, None) => prose.text(texts::about_to_run()),
        (Outcome::Rejected | Outcome::Expired | Outcome::Cancelled | Outcome::Superseded, _) => {
            prose.text(texts::nothing_ran())
        }
    }
}

fn decided_by(view: &CardView<'_>, decision: &Decision, detail: Detail) -> Prose {
    let mut prose = Prose::default().line(texts::outcome_label(decision));
    prose = match &decision.by {
        DecidedBy::Person(last) => person(prose, last, detail),
        DecidedBy::Time => return prose.date(decision.at).text(texts::nobody_decided()),
        DecidedBy::Operator(name) | DecidedBy::Restore { operator: name, .. } => {
            prose.text(&self::name(name, Detail::Abridged))
        }
        DecidedBy::Request(id) => prose.text(&escape::name(id.as_str())),
    };
    prose = prose.text(" on ").date(decision.at);
    if decision.outcome == Outcome::Approved {
        let others = view.request.votes.iter().filter(|vote| {
            let last =
                matches!(&decision.by, DecidedBy::Person(last) if last.person == vote.by.person);
            vote.choice == Choice::Approve && !last
        });
        for vote in others {
            prose = person(prose.line("and by"), &vote.by, detail).text(" on ").date(vote.at);
        }
    }
    prose
}
