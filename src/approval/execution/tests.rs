use super::*;
use crate::approval::sample::{NOON, approved, envelope, sealed};

fn at(minute: u32) -> Timestamp {
    NOON.plus(Span::minutes(minute))
}

/// Approved five minutes after noon, to start within ten more.
fn facts() -> StartFacts {
    StartFacts {
        execution: ExecutionId::existing("exe_1"),
        sealed: sealed(),
        stored_digest: sealed().digest(),
        decision: Some((approved(at(5), at(15)), sealed().digest())),
        policy_still_holds: true,
        tool_unchanged: true,
        equal_unsettled: false,
        stopped: false,
        epoch: 3,
        claimed_epoch: 3,
        start_by: at(15),
        begun: None,
        window: Span::minutes(60),
        key: "key_1".to_owned(),
    }
}

fn allowed() -> StartFacts {
    let mut envelope = envelope(serde_json::json!({ "order": 7 }));
    envelope.decide_by = None;
    let sealed = Sealed::seal(envelope).unwrap();
    StartFacts { stored_digest: sealed.digest(), sealed, decision: None, ..facts() }
}

#[test]
fn an_approved_action_gets_its_warrant_until_its_time_is_over() {
    for (facts, minute) in [(facts(), 5), (facts(), 14), (allowed(), 14)] {
        let bytes = facts.sealed.bytes().to_owned();
        let warrant = warrant(facts, at(minute)).unwrap();
        assert_eq!((warrant.sealed().bytes(), warrant.key()), (bytes.as_str(), "key_1"));
    }
}

/// Each row is one thing that is not as it should be.
#[test]
fn one_doubt_is_enough_to_refuse() {
    let other = Sealed::seal(envelope(serde_json::json!({ "amount": 641 }))).unwrap();
    let with = |change: &dyn Fn(&mut Decision)| {
        let mut decision = approved(at(5), at(15));
        change(&mut decision);
        Some((decision, sealed().digest()))
    };
    let late = Some(Begun { first: at(15), attempts: 1 });
    let table = [
        (StartRefusal::StaleEpoch, StartFacts { claimed_epoch: 2, ..facts() }),
        (StartRefusal::Stopped, StartFacts { stopped: true, ..facts() }),
        (StartRefusal::DigestMismatch, StartFacts { sealed: other.clone(), ..facts() }),
        (StartRefusal::DigestMismatch, StartFacts { stored_digest: other.digest(), ..facts() }),
        (
            StartRefusal::DigestMismatch,
            StartFacts { decision: Some((approved(at(5), at(15)), other.digest())), ..facts() },
        ),
        (StartRefusal::NotApproved, StartFacts { decision: None, ..facts() }),
        (StartRefusal::NotApproved, StartFacts { decision: facts().decision, ..allowed() }),
        (
            StartRefusal::NotApproved,
            StartFacts { decision: with(&|decision| decision.at = at(60)), ..facts() },
        ),
        (
            StartRefusal::NotApproved,
            StartFacts { decision: with(&|decision| decision.start_by = None), ..facts() },
        ),
        (
            StartRefusal::TooLate,
            StartFacts { decision: with(&|decision| decision.start_by = Some(at(6))), ..facts() },
        ),
        (StartRefusal::TooLate, StartFacts { start_by: at(6), ..facts() }),
        (StartRefusal::TooLate, StartFacts { start_by: at(6), ..allowed() }),
        (StartRefusal::TooLate, StartFacts { begun: late, ..facts() }),
        (StartRefusal::PolicyChanged, StartFacts { policy_still_holds: false, ..facts() }),
        (StartRefusal::ToolChanged, StartFacts { tool_unchanged: false, ..facts() }),
        (StartRefusal::EqualUnsettled, StartFacts { equal_unsettled: true, ..facts() }),
    ];
    for (refusal, facts) in table {
        assert_eq!(warrant(facts.clone(), at(7)).unwrap_err(), refusal, "{facts:#?}");
    }
    for outcome in [Outcome::Rejected, Outcome::Expired, Outcome::Cancelled, Outcome::Superseded] {
        let facts =
            StartFacts { decision: with(&|decision| decision.outcome = outcome), ..facts() };
        assert_eq!(warrant(facts, at(7)).unwrap_err(), StartRefusal::NotApproved);
    }
}

#[test]
fn a_repetition_of_a_start_that_was_in_time_is_in_time() {
    let begun = Some(Begun { first: at(14), attempts: 1 });
    assert!(warrant(StartFacts { begun, ..facts() }, at(20)).is_ok());
}

/// Claimed while the target still knew the key, and then its worker stood still.
#[test]
fn a_repetition_that_begins_after_the_key_is_forgotten_does_not_begin() {
    let begun = Some(Begun { first: at(14), attempts: 1 });
    for (minute, refused) in [(73, None), (74, Some(StartRefusal::Forgotten))] {
        assert_eq!(warrant(StartFacts { begun, ..facts() }, at(minute)).err(), refused);
    }
    assert_eq!(StartRefusal::Forgotten.leaves(begun), Some(ExecutionState::Unknown));
}

#[test]
fn only_a_first_attempt_can_be_refused_for_certain() {
    let begun = Some(Begun { first: NOON, attempts: 1 });
    let refused = StartRefusal::Stopped;
    assert_eq!(refused.leaves(None), Some(ExecutionState::Refused));
    assert_eq!(refused.leaves(begun), Some(ExecutionState::Unknown));
    assert_eq!(StartRefusal::StaleEpoch.leaves(begun), None);
}

#[test]
fn what_broke_off_is_settled_by_what_its_tool_can_bear() {
    use RetryClass::{Keyed, Once, Probe, Pure};
    let window = Span::minutes(60);
    let begun = |attempts| Some(Begun { first: NOON, attempts });
    for retry in [Pure, Keyed, Probe, Once] {
        assert_eq!(settle(None, retry, window, at(600)), Settlement::OrderAgain);
    }
    let table = [
        (Pure, 1, 1, Settlement::Repeat),
        (Pure, 4, 600, Settlement::Repeat),
        (Pure, 5, 1, Settlement::Failed),
        (Keyed, 1, 59, Settlement::Repeat),
        (Keyed, 1, 60, Settlement::Unknown),
        (Keyed, 5, 1, Settlement::Unknown),
        (Probe, 1, 1, Settlement::Probe),
        (Probe, 4, 600, Settlement::Probe),
        (Probe, 5, 1, Settlement::Unknown),
        (Once, 1, 1, Settlement::Unknown),
    ];
    for (retry, attempts, minute, settlement) in table {
        let settled = settle(begun(attempts), retry, window, at(minute));
        assert_eq!(settled, settlement, "{retry:?} after {attempts} at {minute}");
    }
}
