use proptest::prelude::*;

use super::*;
use crate::approval::sample::{NOON, person, sealed_under, stage, terms};
use crate::approval::{Membership, PersonFacts, Separation, Standing, authorize};
use crate::base::Span;

fn opened(terms: Terms) -> Request {
    open(&sealed_under(&terms), terms).unwrap().0
}

/// Finance for thirty minutes, then the managers for thirty more.
fn refund() -> Request {
    opened(terms(vec![stage("finance", 1), stage("managers", 1)]))
}

fn at(minute: u32) -> Timestamp {
    NOON.plus(Span::minutes(minute))
}

fn vote_of(
    request: &Request,
    who: PersonFacts,
    member: &[bool],
    choice: Choice,
    reason: Option<&str>,
    now: Timestamp,
) -> Result<Stepped, Refusal> {
    let authority = authorize(request, who, &Membership(member.to_vec()))?;
    let reason = reason.map(str::to_owned);
    step(request, &Event::Vote { authority, choice, reason, received_at: now }, now)
}

fn outcome(stepped: Result<Stepped, Refusal>) -> Option<Outcome> {
    stepped.unwrap().0.decision.map(|decision| decision.outcome)
}

#[test]
fn an_approver_approves_and_the_action_is_ordered_within_its_validity() {
    let request = refund();
    let (request, effects) =
        vote_of(&request, person("jonas"), &[true], Choice::Approve, None, at(5)).unwrap();
    assert_eq!(request.decision.unwrap().outcome, Outcome::Approved);
    assert_eq!(
        effects,
        [
            Effect::ClearTimers,
            Effect::RefreshCards,
            Effect::OrderExecution { start_by: at(15) }
        ]
    );
}

#[test]
fn who_may_not_decide_is_told_why() {
    let request = refund();
    let standing = |standing| PersonFacts { standing, ..person("jonas") };
    let table = [
        (person("mia"), vec![true], Refusal::OwnRequest),
        (person("eve"), vec![false], Refusal::NotAnApprover),
        (person("eve"), vec![], Refusal::NotAnApprover),
        // Priya is a manager, and the managers have not been asked yet.
        (person("priya"), vec![false, true], Refusal::NotAnApprover),
        (standing(Standing::Guest), vec![true], Refusal::Guest),
        (standing(Standing::Deactivated), vec![true], Refusal::Deactivated),
        (standing(Standing::Bot), vec![true], Refusal::Bot),
        (standing(Standing::Outsider), vec![true], Refusal::Outsider),
        (standing(Standing::Unknown), vec![true], Refusal::UnknownPerson),
        (standing(Standing::Unreachable), vec![true], Refusal::DirectoryUnreachable),
    ];
    for (who, member, refusal) in table {
        let refused = vote_of(&request, who, &member, Choice::Approve, None, at(1));
        assert_eq!(refused.unwrap_err(), refusal);
    }
}

#[test]
fn the_human_behind_a_requesting_automation_may_not_decide_either() {
    let mut request = refund();
    request.requester.owner = Some(person("noor").person);
    let refused = vote_of(&request, person("noor"), &[true], Choice::Approve, None, at(1));
    assert_eq!(refused.unwrap_err(), Refusal::OwnRequest);
}

#[test]
fn a_policy_may_waive_separation() {
    let mut request = refund();
    request.terms.separation = Separation::Waived;
    let voted = vote_of(&request, person("mia"), &[true], Choice::Approve, None, at(1));
    assert_eq!(outcome(voted), Some(Outcome::Approved));
}

#[test]
fn a_rejection_needs_a_reason_and_so_does_an_approval_where_the_rule_says_so() {
    let mut request = refund();
    for reason in [None, Some(""), Some("  \n")] {
        let refused = vote_of(&request, person("jonas"), &[true], Choice::Reject, reason, at(1));
        assert_eq!(refused.unwrap_err(), Refusal::ReasonMissing);
    }
    request.terms.reason = ReasonRule::Required;
    let refused = vote_of(&request, person("jonas"), &[true], Choice::Approve, None, at(1));
    assert_eq!(refused.unwrap_err(), Refusal::ReasonMissing);
    let voted = vote_of(&request, person("jonas"), &[true], Choice::Reject, Some("wrong"), at(1));
    assert_eq!(outcome(voted), Some(Outcome::Rejected));
}

#[test]
fn two_humans_are_two_humans_and_one_human_is_one() {
    let request = opened(terms(vec![stage("finance", 2)]));
    let (once, effects) =
        vote_of(&request, person("jonas"), &[true], Choice::Approve, None, at(1)).unwrap();
    assert_eq!(effects, [Effect::RefreshCards]);
    assert!(once.is_pending());
    let again = vote_of(&once, person("jonas"), &[true], Choice::Approve, None, at(2));
    assert_eq!(again.unwrap_err(), Refusal::AlreadyVoted { choice: Choice::Approve });
    let twice = vote_of(&once, person("lena"), &[true], Choice::Approve, None, at(3));
    assert_eq!(outcome(twice), Some(Outcome::Approved));
}

#[test]
fn escalation_asks_the_managers_and_finance_may_still_decide() {
    let request = refund();
    let event = Event::TimerDue(TimerKind::StageEnds { stage: 0 });
    assert_eq!(step(&request, &event, at(29)), Err(Refusal::StaleTimer));
    let (raised, effects) = step(&request, &event, at(30)).unwrap();
    assert_eq!(raised.stage, 1);
    assert_eq!(raised.decide_by(), request.decide_by());
    assert!(effects.contains(&Effect::SetTimer {
        kind: TimerKind::StageEnds { stage: 1 },
        due: at(60)
    }));
    assert_eq!(step(&raised, &event, at(31)), Err(Refusal::StaleTimer));
    for (who, member) in [("priya", [false, true]), ("jonas", [true, false])] {
        let voted = vote_of(&raised, person(who), &member, Choice::Approve, None, at(40));
        assert_eq!(outcome(voted), Some(Outcome::Approved), "{who}");
    }
}

#[test]
fn the_last_stage_expires_and_expiry_is_nobodys_no() {
    let request = opened(terms(vec![stage("finance", 1)]));
    let event = Event::TimerDue(TimerKind::StageEnds { stage: 0 });
    let (expired, effects) = step(&request, &event, at(30)).unwrap();
    let decision = expired.decision.clone().unwrap();
    assert_eq!((decision.outcome, &decision.by), (Outcome::Expired, &DecidedBy::Time));
    assert!(effects.contains(&Effect::AnswerRun(decision)));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::OrderExecution { .. })));
}

#[test]
fn a_click_that_came_too_late_never_counts_even_before_the_expiry_has_fired() {
    let request = refund();
    let voted = vote_of(&request, person("jonas"), &[true], Choice::Approve, None, at(60));
    assert_eq!(voted.unwrap_err(), Refusal::TooLate { decide_by: at(60) });
}

#[test]
fn a_stage_that_cannot_be_shown_asks_the_next_one_at_once() {
    let request = refund();
    let (raised, effects) = step(&request, &Event::Undeliverable { stage: 0 }, at(1)).unwrap();
    assert_eq!((raised.stage, raised.decide_by()), (1, request.decide_by()));
    assert!(effects.contains(&Effect::Notify(Notice::Undeliverable { stage: 0 })));
    let (last, effects) = step(&raised, &Event::Undeliverable { stage: 1 }, at(2)).unwrap();
    assert!(last.is_pending());
    assert!(!effects.contains(&Effect::ClearTimers));
}

#[test]
fn only_the_requester_withdraws() {
    let request = refund();
    let refused = step(&request, &Event::Withdraw { by: person("eve") }, at(1));
    assert_eq!(refused, Err(Refusal::NotYourRequest));
    assert_eq!(
        outcome(step(&request, &Event::Withdraw { by: person("mia") }, at(1))),
        Some(Outcome::Cancelled)
    );
}

/// Something somebody tries, at some minute.
#[derive(Clone, Debug)]
enum Try {
    Vote { who: &'static str, approve: bool },
    Timer(TimerKind),
    Withdraw(&'static str),
    Cancel,
    Undeliverable(usize),
}

fn tries() -> impl Strategy<Value = Vec<(u32, Try)>> {
    let who = prop::sample::select(vec!["mia", "jonas", "lena", "priya", "eve"]);
    let attempt = prop_oneof![
        6 => (who.clone(), any::<bool>()).prop_map(|(who, approve)| Try::Vote { who, approve }),
        4 => (0..3_usize).prop_map(|stage| Try::Timer(TimerKind::StageEnds { stage })),
        2 => (0..3_usize, 0..3_usize)
            .prop_map(|(stage, nth)| Try::Timer(TimerKind::Remind { stage, nth })),
        1 => who.prop_map(Try::Withdraw),
        1 => Just(Try::Cancel),
        1 => (0..3_usize).prop_map(Try::Undeliverable),
    ];
    prop::collection::vec((0..40_u32, attempt), 1..25)
}

fn attempt(request: &Request, what: &Try, now: Timestamp) -> Result<Stepped, Refusal> {
    match what {
        Try::Vote { who, approve } => {
            let member = match *who {
                "priya" => [false, true],
                "eve" => [false, false],
                _ => [true, false],
            };
            let choice = if *approve { Choice::Approve } else { Choice::Reject };
            vote_of(request, person(who), &member, choice, Some("because"), now)
        }
        Try::Timer(timer) => step(request, &Event::TimerDue(*timer), now),
        Try::Withdraw(who) => step(request, &Event::Withdraw { by: person(who) }, now),
        Try::Cancel => {
            let (operator, reason) = ("sam".to_owned(), "maintenance".to_owned());
            step(request, &Event::Cancel { operator, reason }, now)
        }
        Try::Undeliverable(stage) => step(request, &Event::Undeliverable { stage: *stage }, now),
    }
}

fn apply(timers: &mut Vec<TimerKind>, effects: &[Effect]) {
    for effect in effects {
        match effect {
            Effect::ClearTimers => timers.clear(),
            Effect::SetTimer { kind, .. } => timers.push(*kind),
            _ => {}
        }
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_promises_hold(quorum in 1..3_u32, story in tries()) {
        let path = vec![stage("finance", quorum), stage("managers", 1)];
        let terms = terms(path);
        let (mut request, effects) = open(&sealed_under(&terms), terms).unwrap();
        let decide_by = request.decide_by();
        let mut timers = Vec::new();
        let mut ordered = 0;
        apply(&mut timers, &effects);
        let mut minute = 0;
        for (later, what) in &story {
            minute += later;
            let Ok((next, effects)) = attempt(&request, what, at(minute)) else { continue };
            prop_assert!(request.is_pending(), "a no is final: nothing follows an outcome");
            prop_assert_eq!(next.version, request.version + 1);
            prop_assert_eq!(next.decide_by(), decide_by, "no deadline ever moves");
            prop_assert!(next.stage >= request.stage);
            apply(&mut timers, &effects);
            ordered += effects
                .iter()
                .filter(|effect| matches!(effect, Effect::OrderExecution { .. }))
                .count();
            request = next;
            let ends = TimerKind::StageEnds { stage: request.stage };
            prop_assert_eq!(timers.contains(&ends), request.is_pending(), "one live deadline");
        }
        let approved = request
            .decision
            .as_ref()
            .is_some_and(|decision| decision.outcome == Outcome::Approved);
        prop_assert_eq!(ordered, usize::from(approved), "ordered once, if approved");
        if approved {
            let by_stage = |stage: usize| {
                let people: std::collections::BTreeSet<_> = request
                    .votes
                    .iter()
                    .filter(|vote| vote.choice == Choice::Approve && vote.stages.contains(&stage))
                    .map(|vote| vote.by.person.as_str())
                    .collect();
                prop_assert!(!people.contains("mia"), "nobody decides on their own request");
                Ok(people.len())
            };
            let enough = by_stage(0)? >= quorum as usize || by_stage(1)? >= 1;
            prop_assert!(enough, "a quorum of distinct humans");
        }
    }
}
