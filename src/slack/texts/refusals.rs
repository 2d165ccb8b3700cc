//! Why a click changed nothing, told to the person who clicked.

use super::{ago, by, not_known_since};
use crate::approval::{Choice, DecidedBy, Decision, Outcome, Refusal, Request};
use crate::base::Timestamp;
use crate::slack::card::block::utc;
use crate::slack::escape;

/// One text for each refusal. It says what is true and what the person can do.
pub fn refusal(refusal: &Refusal, now: Timestamp) -> String {
    match refusal {
        Refusal::AlreadyDecided { decision } => already_decided(decision, now),
        Refusal::TooLate { decide_by } => format!(
            "Too late: the time to decide was over at {}. Nothing will run; it can be asked again.",
            utc(*decide_by)
        ),
        Refusal::NotAnApprover => {
            "You are not among the people who may decide this. The card says who \
             may; nothing has changed."
                .to_owned()
        }
        Refusal::OwnRequest => {
            "You asked for this yourself (or it was asked on your behalf), so somebody \
             else has to decide. You can withdraw it in your thread."
                .to_owned()
        }
        Refusal::AlreadyVoted { choice: Choice::Approve } => {
            "You have already approved this. It needs \
             somebody else's approval too; your vote stands."
                .to_owned()
        }
        Refusal::AlreadyVoted { choice: Choice::Reject } => {
            "You have already rejected this; your vote stands.".to_owned()
        }
        Refusal::ReasonMissing => {
            "This needs a reason, in a few words. Press the button again and write one.".to_owned()
        }
        Refusal::Guest => {
            "Guests may not decide here. A full member of this workspace has to.".to_owned()
        }
        Refusal::Deactivated => {
            "This account is deactivated in Slack, so it may not decide.".to_owned()
        }
        Refusal::Bot => "Bots may not decide; a person has to.".to_owned(),
        Refusal::Outsider => {
            "You belong to another company, and only members of this workspace may \
             decide here."
                .to_owned()
        }
        Refusal::UnknownPerson => {
            "Slack does not know who you are, so your click did not count.".to_owned()
        }
        Refusal::DirectoryUnreachable => {
            "I could not ask Slack just now who you are, so your click did \
             not count. Nothing happened; please press again in a minute."
                .to_owned()
        }
        Refusal::NotYourRequest => {
            "Only the person who asked for this can withdraw it. An approver can reject it."
                .to_owned()
        }
        Refusal::StaleAuthority => {
            "The request changed while you clicked, so your click did not count. \
             Look at the card again and decide once more."
                .to_owned()
        }
        Refusal::StaleTimer => "That moment has passed; nothing has changed.".to_owned(),
    }
}

/// The button's token is not (or no longer) one of ours, or belongs to another message.
pub fn unknown_button() -> String {
    "This button does not belong to a request I know, so nothing happened. It may be a copy or an old \
     message; use the newest card in the channel."
        .to_owned()
}

/// Somebody tried to approve what this card does not show whole.
pub fn incomplete() -> String {
    "This cannot be approved from here, because not all of it is shown. Press Show all, read it, and \
     decide there."
        .to_owned()
}

/// Somebody wants to see what was asked, and it is so long ago that only its end is known.
pub fn no_longer_kept(request: &Request) -> String {
    let end = match &request.decision {
        Some(decision) => format!(
            " It ended on {}: {}.",
            utc(decision.at),
            match decision.outcome {
                Outcome::Approved => "approved",
                Outcome::Rejected => "rejected",
                Outcome::Expired => "expired, because nobody decided in time",
                Outcome::Cancelled => "taken back",
                Outcome::Superseded => "replaced by a newer request",
            }
        ),
        None => String::new(),
    };
    format!("What was asked here is no longer kept, so it cannot be shown any more.{end}")
}

fn already_decided(decision: &Decision, now: Timestamp) -> String {
    let when = ago(decision.at, now);
    let verb = match decision.outcome {
        Outcome::Approved => "approved",
        Outcome::Rejected => "rejected",
        Outcome::Expired => {
            return format!(
                "This expired {when}: nobody decided in time. Nothing will run; it can be asked again."
            );
        }
        Outcome::Superseded => {
            return format!(
                "This was replaced by a newer request {when}. Please decide on that one."
            );
        }
        Outcome::Cancelled => match &decision.by {
            DecidedBy::Person(_) => "withdrawn",
            DecidedBy::Restore { to, .. } => return put_back(*to, when),
            DecidedBy::Operator(_) | DecidedBy::Time | DecidedBy::Request(_) => "cancelled",
        },
    };
    let who = match &decision.by {
        DecidedBy::Person(person) => by(person),
        DecidedBy::Operator(name) | DecidedBy::Restore { operator: name, .. } => {
            format!("the operator {}", escape::name(name))
        }
        DecidedBy::Time => "the clock".to_owned(),
        DecidedBy::Request(_) => "a newer request".to_owned(),
    };
    let reason = match &decision.reason {
        Some(reason) => format!(" Reason: {}.", escape::clipped(reason, 300)),
        None => String::new(),
    };
    format!("Already {verb} by {who} {when}.{reason} Your click changed nothing.")
}

/// Others may have decided on it before the desk was restored, and the person may be one of them.
fn put_back(to: Timestamp, when: String) -> String {
    let (lead, rest) = not_known_since();
    format!(
        "This was cancelled {when}, when the desk was restored, and your click changed nothing. Whether it \
         ran? {lead}{}{rest}",
        utc(to)
    )
}
