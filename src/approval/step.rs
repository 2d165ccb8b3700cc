//! The machine: one event on one request.
//!
//! A request is pending until exactly one outcome ends it. Each stage adds its approvers to those
//! who may decide; earlier ones keep their say. All deadlines are fixed when the request is made:
//! escalating, reminding and failing to show a card never move one, and time alone never approves.

use super::{
    Authority, Choice, DecidedBy, Decision, Effect, Event, Notice, Outcome, ReasonRule, Refusal,
    Request, Sealed, Terms, TimerKind, Vote,
};
use crate::base::Timestamp;

/// A new state and what must be committed with it.
type Stepped = (Request, Vec<Effect>);

/// Why nobody can be asked about a sealed action. Each is a mistake of the caller, found before it
/// becomes a request without an owner or a card that says something else than the machine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("the path has no stage, so nobody could ever decide")]
    NoStage,
    #[error("the envelope names no request")]
    NoRequest,
    #[error("the terms are not those that were sealed")]
    OtherTerms,
}

/// Opens a request for a sealed action: its first state, and what is owed at once.
///
/// Who asks, when and under which id is in the envelope; its `asked_at` is the instant that all
/// deadlines count from.
pub fn open(sealed: &Sealed, terms: Terms) -> Result<Stepped, OpenError> {
    let envelope = sealed.envelope();
    if terms.path.is_empty() {
        return Err(OpenError::NoStage);
    }
    let request = Request {
        id: envelope.request.clone().ok_or(OpenError::NoRequest)?,
        workspace: envelope.workspace.clone(),
        digest: sealed.digest(),
        requester: envelope.requester.clone(),
        terms,
        asked_at: envelope.asked_at,
        version: 1,
        stage: 0,
        stage_since: envelope.asked_at,
        votes: Vec::new(),
        decision: None,
    };
    let terms = &request.terms;
    let same = envelope.decide_by == Some(request.decide_by())
        && envelope.valid_for == terms.valid_for
        && envelope.risk == terms.risk
        && envelope.policy.rule == terms.rule
        && envelope.policy.digest == terms.policy_digest;
    if !same {
        return Err(OpenError::OtherTerms);
    }
    let mut effects = vec![Effect::ShowStatus];
    effects.extend(reach(&request, 0));
    Ok((request, effects))
}

/// Applies one event. Pure: the same request, event and instant always give the same answer.
///
/// On success the new state has a version one higher, and the effects must be committed with it.
/// A refusal changes nothing; it is still recorded by the caller.
pub fn step(request: &Request, event: &Event, now: Timestamp) -> Result<Stepped, Refusal> {
    if let Some(decision) = &request.decision {
        return Err(Refusal::AlreadyDecided { decision: Box::new(decision.clone()) });
    }
    match event {
        Event::Vote { authority, choice, reason, received_at } => {
            vote(request, authority, *choice, reason.as_deref(), *received_at)
        }
        Event::TimerDue(timer) => timer_due(request, *timer, now),
        Event::Withdraw { by } => {
            // Whom an account belongs to may have been put right since; it is still the one that asked.
            let theirs = &request.requester;
            if by.person != theirs.person && by.user != theirs.user {
                return Err(Refusal::NotYourRequest);
            }
            let by = DecidedBy::Person(Box::new(by.clone()));
            Ok(end(request, Outcome::Cancelled, by, None, now))
        }
        Event::Cancel { operator, reason } => {
            let by = DecidedBy::Operator(operator.clone());
            Ok(end(request, Outcome::Cancelled, by, Some(reason.clone()), now))
        }
        Event::Restore { operator, to, reason } => {
            let by = DecidedBy::Restore { operator: operator.clone(), to: *to };
            Ok(end(request, Outcome::Cancelled, by, Some(reason.clone()), now))
        }
        Event::Supersede { by } => {
            Ok(end(request, Outcome::Superseded, DecidedBy::Request(by.clone()), None, now))
        }
        Event::Undeliverable { stage } => undeliverable(request, *stage, now),
    }
}

fn vote(
    request: &Request,
    authority: &Authority,
    choice: Choice,
    reason: Option<&str>,
    received_at: Timestamp,
) -> Result<Stepped, Refusal> {
    if *authority.request() != request.id || authority.version() != request.version {
        return Err(Refusal::StaleAuthority);
    }
    // Whichever of click and expiry commits first wins, but a click that came too late never does,
    // even when the expiry is late as well. What counts is when it came, not when it is written:
    // so a click that waited for the database is neither lost nor dated after the deadline.
    if received_at >= request.decide_by() {
        return Err(Refusal::TooLate { decide_by: request.decide_by() });
    }
    let reason = reason.map(str::trim).filter(|reason| !reason.is_empty());
    let needs_reason = match choice {
        Choice::Reject => true,
        Choice::Approve => request.terms.reason == ReasonRule::Required,
    };
    if needs_reason && reason.is_none() {
        return Err(Refusal::ReasonMissing);
    }
    let mut voted = request.clone();
    voted.votes.push(Vote {
        by: authority.person().clone(),
        choice,
        reason: reason.map(str::to_owned),
        at: received_at,
        stages: authority.stages().to_vec(),
    });
    let by = || DecidedBy::Person(Box::new(authority.person().clone()));
    match choice {
        Choice::Reject => {
            Ok(end(&voted, Outcome::Rejected, by(), reason.map(str::to_owned), received_at))
        }
        Choice::Approve if has_quorum(&voted) => {
            Ok(end(&voted, Outcome::Approved, by(), reason.map(str::to_owned), received_at))
        }
        Choice::Approve => Ok(changed(voted, vec![Effect::RefreshCards])),
    }
}

/// Has any reached stage heard enough distinct humans of its own? A person has one vote at most,
/// so counting votes counts humans.
pub(super) fn has_quorum(request: &Request) -> bool {
    let reached = request.terms.path.iter().enumerate().take(request.stage + 1);
    reached.into_iter().any(|(stage, rules)| {
        let approvals = request
            .votes
            .iter()
            .filter(|vote| vote.choice == Choice::Approve && vote.stages.contains(&stage))
            .count();
        approvals >= rules.quorum.max(1) as usize
    })
}

fn timer_due(request: &Request, timer: TimerKind, now: Timestamp) -> Result<Stepped, Refusal> {
    match timer {
        TimerKind::Remind { stage, nth } => {
            let due = request.terms.path.get(stage).and_then(|rules| rules.remind.get(nth));
            let due = due.map(|after| stage_starts(request, stage).plus(*after));
            let ends = request.stage_ends(stage);
            // After a standstill a reminder may come due together with the end of its stage: then
            // there is nothing left to remind of.
            if stage != request.stage || now >= ends || due.is_none_or(|due| now < due) {
                return Err(Refusal::StaleTimer);
            }
            let left = ends.since(now);
            Ok(changed(
                request.clone(),
                vec![Effect::Notify(Notice::Reminder { stage, nth, left })],
            ))
        }
        TimerKind::StageEnds { stage } => {
            if stage != request.stage || now < request.stage_ends(stage) {
                return Err(Refusal::StaleTimer);
            }
            match next_stage(request) {
                Some(next) => Ok(escalate(request, next, now)),
                None => Ok(end(request, Outcome::Expired, DecidedBy::Time, None, now)),
            }
        }
    }
}

/// A stage that cannot be shown would be waiting for nobody: the next one is asked at once. After
/// the last one the requester is told, and the clock runs on.
fn undeliverable(request: &Request, stage: usize, now: Timestamp) -> Result<Stepped, Refusal> {
    if stage != request.stage {
        return Err(Refusal::StaleTimer);
    }
    let told = Effect::Notify(Notice::Undeliverable { stage });
    let (request, mut effects) = match next_stage(request) {
        Some(next) => escalate(request, next, now),
        None => changed(request.clone(), vec![Effect::RefreshCards]),
    };
    effects.push(told);
    Ok((request, effects))
}

fn next_stage(request: &Request) -> Option<usize> {
    Some(request.stage + 1).filter(|&next| next < request.terms.path.len())
}

fn escalate(request: &Request, stage: usize, now: Timestamp) -> Stepped {
    let mut raised = request.clone();
    raised.stage = stage;
    raised.stage_since = now;
    let mut effects = vec![Effect::ClearTimers];
    effects.extend(reach(&raised, stage));
    effects.push(Effect::RefreshCards);
    effects.push(Effect::Notify(Notice::Escalated { stage }));
    changed(raised, effects)
}

/// When a stage's time begins by the request's fixed schedule, whenever it was really reached.
fn stage_starts(request: &Request, stage: usize) -> Timestamp {
    match stage.checked_sub(1) {
        None => request.asked_at,
        Some(before) => request.stage_ends(before),
    }
}

/// The card and the timers of a stage that has just been reached.
fn reach(request: &Request, stage: usize) -> Vec<Effect> {
    let Some(rules) = request.terms.path.get(stage) else {
        return Vec::new();
    };
    let starts = stage_starts(request, stage);
    let mut effects = vec![Effect::ShowCard { stage, place: rules.place.clone() }];
    effects.extend(rules.remind.iter().enumerate().map(|(nth, after)| Effect::SetTimer {
        kind: TimerKind::Remind { stage, nth },
        due: starts.plus(*after),
    }));
    effects.push(Effect::SetTimer {
        kind: TimerKind::StageEnds { stage },
        due: request.stage_ends(stage),
    });
    effects
}

fn end(
    request: &Request,
    outcome: Outcome,
    by: DecidedBy,
    reason: Option<String>,
    at: Timestamp,
) -> Stepped {
    let start_by = match outcome {
        Outcome::Approved => Some(at.plus(request.terms.valid_for)),
        Outcome::Rejected | Outcome::Expired | Outcome::Cancelled | Outcome::Superseded => None,
    };
    let decision = Decision { outcome, by, at, reason, start_by };
    let mut effects = vec![Effect::ClearTimers, Effect::RefreshCards];
    match start_by {
        // The requester is told when it has run: that is what they wait for.
        Some(start_by) => effects.push(Effect::OrderExecution { start_by }),
        None => {
            effects.push(Effect::AnswerRun(decision.clone()));
            effects.push(Effect::Notify(Notice::Decided));
        }
    }
    let mut ended = request.clone();
    ended.decision = Some(decision);
    changed(ended, effects)
}

fn changed(mut request: Request, effects: Vec<Effect>) -> Stepped {
    request.version += 1;
    (request, effects)
}

#[cfg(test)]
mod promises;
#[cfg(test)]
mod tests;
