use super::*;
use crate::approval::sample::{NOON, approved, envelope, person, sealed_under, stage, terms};
use crate::approval::{Envelope, Membership, PersonFacts, Place, Risk, authorize};
use crate::base::{PersonId, RequestId, Span};

pub(super) fn opened(terms: Terms) -> Request {
    open(&sealed_under(&terms), terms).unwrap().0
}

/// Finance for thirty minutes, then the managers for thirty more.
fn refund() -> Request {
    opened(terms(vec![stage("finance", 1), stage("managers", 1)]))
}

pub(super) fn at(minute: u32) -> Timestamp {
    NOON.plus(Span::minutes(minute))
}

pub(super) fn vote_of(
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
        [Effect::ClearTimers, Effect::RefreshCards, Effect::OrderExecution { start_by: at(15) }]
    );
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

const FINANCE_ENDS: Event = Event::TimerDue(TimerKind::StageEnds { stage: 0 });
const MANAGERS_END: Event = Event::TimerDue(TimerKind::StageEnds { stage: 1 });

fn raised() -> Request {
    step(&refund(), &FINANCE_ENDS, at(30)).unwrap().0
}

fn timers_of(stage: usize, minutes: [u32; 3]) -> Vec<Effect> {
    let [first, second, end] = minutes;
    let remind =
        |nth, minute| Effect::SetTimer { kind: TimerKind::Remind { stage, nth }, due: at(minute) };
    let ends = Effect::SetTimer { kind: TimerKind::StageEnds { stage }, due: at(end) };
    vec![remind(0, first), remind(1, second), ends]
}

fn card(stage: usize) -> Effect {
    Effect::ShowCard { stage, place: Place("approvals".to_owned()) }
}

#[test]
fn a_request_opens_with_a_card_a_status_and_its_timers() {
    let terms = terms(vec![stage("finance", 1), stage("managers", 1)]);
    let sealed = sealed_under(&terms);
    let (request, effects) = open(&sealed, terms).unwrap();
    assert_eq!((request.version, request.stage, request.asked_at), (1, 0, NOON));
    assert_eq!((request.digest, request.decide_by()), (sealed.digest(), at(60)));
    assert_eq!(effects, [vec![Effect::ShowStatus, card(0)], timers_of(0, [10, 20, 30])].concat());
}

#[test]
fn only_what_was_sealed_is_asked_about() {
    let good = || terms(vec![stage("finance", 1)]);
    let sealed = sealed_under(&good());
    assert_eq!(open(&sealed, terms(Vec::new())), Err(OpenError::NoStage));
    let nobody = Envelope { request: None, ..envelope(serde_json::json!({})) };
    assert_eq!(open(&Sealed::seal(nobody).unwrap(), good()), Err(OpenError::NoRequest));
    for other in [
        terms(vec![stage("finance", 1), stage("managers", 1)]),
        Terms { risk: Risk::Low, ..good() },
        Terms { rule: "others".to_owned(), ..good() },
        Terms { policy_digest: "00".to_owned(), ..good() },
        Terms { valid_for: Span::minutes(99), ..good() },
    ] {
        assert_eq!(open(&sealed, other), Err(OpenError::OtherTerms));
    }
    assert!(open(&sealed, good()).is_ok());
}

#[test]
fn escalation_asks_the_managers_and_moves_no_deadline() {
    let request = refund();
    assert_eq!(step(&request, &FINANCE_ENDS, at(29)), Err(Refusal::StaleTimer));
    let (raised, effects) = step(&request, &FINANCE_ENDS, at(30)).unwrap();
    assert_eq!((raised.stage, raised.stage_since), (1, at(30)));
    assert_eq!(raised.decide_by(), request.decide_by());
    let expected = [
        vec![Effect::ClearTimers, card(1)],
        timers_of(1, [40, 50, 60]),
        vec![Effect::RefreshCards, Effect::Notify(Notice::Escalated { stage: 1 })],
    ];
    assert_eq!(effects, expected.concat());
    assert_eq!(step(&raised, &FINANCE_ENDS, at(31)), Err(Refusal::StaleTimer));
}

#[test]
fn after_an_escalation_either_stage_may_decide() {
    for (who, member) in [("priya", [false, true]), ("jonas", [true, false])] {
        let voted = vote_of(&raised(), person(who), &member, Choice::Approve, None, at(40));
        assert_eq!(outcome(voted), Some(Outcome::Approved), "{who}");
    }
    let no = vote_of(&raised(), person("jonas"), &[true], Choice::Reject, Some("no"), at(40));
    assert_eq!(outcome(no), Some(Outcome::Rejected));
}

#[test]
fn each_stage_counts_only_its_own_people() {
    let request = opened(terms(vec![stage("finance", 2), stage("managers", 2)]));
    let yes = |request: &Request, who, member: &[bool], minute| {
        vote_of(request, person(who), member, Choice::Approve, None, at(minute)).unwrap().0
    };
    let request = yes(&request, "jonas", &[true, false], 1);
    let (request, _) = step(&request, &FINANCE_ENDS, at(30)).unwrap();
    let request = yes(&request, "priya", &[false, true], 31);
    assert!(request.is_pending(), "one of finance and one manager are not two of either");
    for (who, member) in [("lena", [true, false]), ("noor", [false, true]), ("sam", [true, true])] {
        let ended = yes(&request, who, &member, 32);
        assert_eq!(ended.decision.unwrap().outcome, Outcome::Approved, "{who}");
    }
}

#[test]
fn a_quorum_of_none_still_needs_one() {
    let request = opened(terms(vec![stage("finance", 0)]));
    assert!(request.is_pending());
    let voted = vote_of(&request, person("jonas"), &[true], Choice::Approve, None, at(1));
    assert_eq!(outcome(voted), Some(Outcome::Approved));
}

#[test]
fn reminders_say_what_is_left_and_only_while_something_is() {
    let remind = |stage, nth| Event::TimerDue(TimerKind::Remind { stage, nth });
    let (reminded, effects) = step(&refund(), &remind(0, 0), at(10)).unwrap();
    let left = Span::minutes(20);
    assert_eq!(effects, [Effect::Notify(Notice::Reminder { stage: 0, nth: 0, left })]);
    assert_eq!((reminded.version, reminded.stage), (2, 0));
    for (request, event, minute) in [
        (refund(), remind(0, 0), 9),
        (refund(), remind(0, 7), 20),
        (refund(), remind(1, 0), 40),
        (refund(), remind(7, 0), 40),
        (refund(), remind(0, 1), 30),
        (raised(), remind(0, 1), 31),
    ] {
        assert_eq!(step(&request, &event, at(minute)), Err(Refusal::StaleTimer), "{event:?}");
    }
}

/// The service was down, or the clock was turned: the stages are gone through one by one, and what
/// is set in the past is due at once.
#[test]
fn a_standstill_over_the_whole_path_escalates_and_then_expires() {
    let (request, effects) = step(&refund(), &FINANCE_ENDS, at(600)).unwrap();
    assert_eq!(effects[2..5], timers_of(1, [40, 50, 60]));
    let (expired, _) = step(&request, &MANAGERS_END, at(600)).unwrap();
    assert_eq!(expired.decision.unwrap().outcome, Outcome::Expired);
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
    for choice in [Choice::Approve, Choice::Reject] {
        let voted = vote_of(&request, person("jonas"), &[true], choice, Some("x"), at(60));
        assert_eq!(voted.unwrap_err(), Refusal::TooLate { decide_by: at(60) });
    }
}

#[test]
fn a_click_that_came_in_time_counts_even_when_it_is_written_later() {
    let request = refund();
    let authority = authorize(&request, person("jonas"), &Membership(vec![true])).unwrap();
    let received_at = at(59);
    let vote = Event::Vote { authority, choice: Choice::Approve, reason: None, received_at };
    let (ended, _) = step(&request, &vote, at(61)).unwrap();
    assert_eq!(ended.decision, Some(approved(at(59), at(69))));
    assert_eq!(ended.votes[0].at, at(59));
}

#[test]
fn authority_counts_only_for_the_state_it_was_checked_on() {
    let request = refund();
    let authority = authorize(&request, person("jonas"), &Membership(vec![true])).unwrap();
    let vote =
        Event::Vote { authority, choice: Choice::Approve, reason: None, received_at: at(31) };
    assert_eq!(step(&raised(), &vote, at(31)), Err(Refusal::StaleAuthority));
    let other = Request { id: RequestId::existing("req_2"), ..request.clone() };
    assert_eq!(step(&other, &vote, at(31)), Err(Refusal::StaleAuthority));
    assert!(step(&request, &vote, at(31)).is_ok());
}

#[test]
fn a_stage_that_cannot_be_shown_asks_the_next_one_at_once() {
    let gone = |stage| Event::Undeliverable { stage };
    let (raised, effects) = step(&refund(), &gone(0), at(1)).unwrap();
    assert_eq!((raised.stage, raised.stage_since), (1, at(1)));
    let told = |stage| Effect::Notify(Notice::Undeliverable { stage });
    let expected = [
        vec![Effect::ClearTimers, card(1)],
        timers_of(1, [40, 50, 60]),
        vec![Effect::RefreshCards, Effect::Notify(Notice::Escalated { stage: 1 }), told(0)],
    ];
    assert_eq!(effects, expected.concat());
    assert_eq!(step(&raised, &gone(0), at(2)), Err(Refusal::StaleTimer));
    let (last, effects) = step(&raised, &gone(1), at(2)).unwrap();
    assert!(last.is_pending());
    assert_eq!(effects, [Effect::RefreshCards, told(1)]);
}

/// Every way to end that is not an approval, with who ended it.
fn endings() -> Vec<(Event, Outcome, DecidedBy, Option<&'static str>)> {
    let by = |who| DecidedBy::Person(Box::new(person(who)));
    let (operator, reason) = ("sam".to_owned(), "maintenance".to_owned());
    let next = RequestId::existing("req_2");
    vec![
        (Event::Withdraw { by: person("mia") }, Outcome::Cancelled, by("mia"), None),
        (
            Event::Cancel { operator: operator.clone(), reason },
            Outcome::Cancelled,
            DecidedBy::Operator(operator),
            Some("maintenance"),
        ),
        (
            Event::Restore { operator: "olga".to_owned(), to: at(1), reason: "broke".to_owned() },
            Outcome::Cancelled,
            DecidedBy::Restore { operator: "olga".to_owned(), to: at(1) },
            Some("broke"),
        ),
        (
            Event::Supersede { by: next.clone() },
            Outcome::Superseded,
            DecidedBy::Request(next),
            None,
        ),
    ]
}

#[test]
fn a_request_that_ends_without_approval_answers_its_run() {
    for (event, outcome, by, reason) in endings() {
        let (ended, effects) = step(&refund(), &event, at(5)).unwrap();
        let reason = reason.map(str::to_owned);
        let decision = Decision { outcome, by, at: at(5), reason, start_by: None };
        assert_eq!(ended.decision.as_ref(), Some(&decision));
        let expected = [
            Effect::ClearTimers,
            Effect::RefreshCards,
            Effect::AnswerRun(decision),
            Effect::Notify(Notice::Decided),
        ];
        assert_eq!(effects, expected);
    }
}

#[test]
fn only_the_requester_withdraws() {
    for who in ["eve", "jonas"] {
        let refused = step(&refund(), &Event::Withdraw { by: person(who) }, at(1));
        assert_eq!(refused, Err(Refusal::NotYourRequest));
    }
    // Her account was found to be a second one of somebody's after she had asked.
    let by = PersonFacts { person: PersonId::existing("mia and anna"), ..person("mia") };
    assert_eq!(outcome(step(&refund(), &Event::Withdraw { by }, at(1))), Some(Outcome::Cancelled));
}

#[test]
fn nothing_follows_an_outcome() {
    for outcome in [
        Outcome::Approved,
        Outcome::Rejected,
        Outcome::Expired,
        Outcome::Cancelled,
        Outcome::Superseded,
    ] {
        let decision = Decision { outcome, ..approved(at(5), at(15)) };
        let ended = Request { decision: Some(decision.clone()), ..refund() };
        let over = Refusal::AlreadyDecided { decision: Box::new(decision) };
        let authority = authorize(&refund(), person("jonas"), &Membership(vec![true])).unwrap();
        let vote =
            Event::Vote { authority, choice: Choice::Approve, reason: None, received_at: at(6) };
        let timers = [FINANCE_ENDS, Event::TimerDue(TimerKind::Remind { stage: 0, nth: 0 })];
        let others = [vote, Event::Undeliverable { stage: 0 }];
        let endings = endings().into_iter().map(|(event, ..)| event);
        for event in timers.into_iter().chain(others).chain(endings) {
            assert_eq!(step(&ended, &event, at(30)), Err(over.clone()), "{outcome:?} {event:?}");
        }
        let refused = authorize(&ended, person("jonas"), &Membership(vec![true]));
        assert_eq!(refused, Err(over));
    }
}
