//! The approval machine and the execution protocol, every order of events tried: `stateright` drives
//! the production `open`, `authorize`, `step`, `settle` and `warrant` from two replicas that crash,
//! stand still past their lease and repeat what Slack delivers twice.
//!
//! What stands between those functions in production, the store's transactions, is modelled here in
//! a few lines each (`transactions.rs`); the simulator runs the real ones.

#![expect(clippy::unwrap_used, reason = "a model that cannot be built fails its test")]

mod desk;
mod people;
mod promises;
mod transactions;
mod world;

use countersign::approval::RetryClass;
use stateright::{Checker, HasDiscoveries, Model};

use desk::{Desk, Mutation, Zombies};
use world::Left;

/// Looks at every state. Each promise holds in all of them, and each ending was reached.
fn holds(what: &str, desk: Desk) {
    let checker = desk.checker().threads(2).spawn_bfs().join();
    println!(
        "{what}: {} unique states, depth {}",
        checker.unique_state_count(),
        checker.max_depth()
    );
    assert!(checker.is_done(), "{what}: not every state was looked at");
    checker.assert_properties();
}

/// A bug that was put in on purpose breaks this promise, and the model says so.
fn finds(mutation: Mutation, promise: &'static str, desk: Desk) {
    let desk = Desk { mutation, ..desk };
    let enough = HasDiscoveries::AnyOf([promise].into());
    let checker = desk.checker().threads(2).finish_when(enough).spawn_bfs().join();
    let found = checker.assert_any_discovery(promise);
    let states = checker.unique_state_count();
    println!(
        "{mutation:?} breaks {promise} in {} actions, of {states}",
        found.into_actions().len()
    );
}

#[test]
fn a_request_ends_once_whatever_comes_in_whatever_order() {
    holds("a request", Desk::deciding());
}

#[test]
fn an_approved_action_runs_as_its_retry_class_says() {
    for retry in [RetryClass::Pure, RetryClass::Keyed, RetryClass::Once] {
        holds(&format!("an execution, {retry:?}"), Desk::executing(retry));
    }
}

/// What a probe says is true only of calls that are over. Of a worker that is dead this holds.
#[test]
fn a_probed_action_runs_once_when_lost_workers_are_dead() {
    let desk = Desk { zombies: Zombies::StayDead, ..Desk::executing(RetryClass::Probe) };
    holds("an execution, Probe", desk);
}

/// The limit that goes with it: who was asked says no, and then the sleeper wakes and calls.
#[test]
fn a_probe_cannot_know_of_a_call_that_is_still_to_come() {
    let desk = Desk::executing(RetryClass::Probe);
    finds(Mutation::None, promises::ONCE, desk);
}

/// A keyed call is not repeated once its target may have forgotten the key.
#[test]
fn a_keyed_action_is_not_repeated_when_its_key_is_forgotten() {
    let desk =
        Desk { zombies: Zombies::StayDead, remembers: 2, ..Desk::executing(RetryClass::Keyed) };
    holds("an execution, Keyed, with a short memory", desk);
}

#[test]
fn from_the_first_click_to_the_effect() {
    holds("the whole way", Desk::whole());
}

#[test]
fn a_decision_that_can_be_overwritten_is_found() {
    finds(Mutation::DecisionOverwritable, promises::ONE_END, Desk::deciding());
    finds(Mutation::DecisionOverwritable, promises::NO_IS_FINAL, Desk::deciding());
}

#[test]
fn a_start_without_the_epoch_check_is_found() {
    let desk = Desk::executing(RetryClass::Once);
    finds(Mutation::StartWithoutEpochCheck, promises::FENCED, desk);
}

#[test]
fn a_started_action_that_becomes_an_order_again_is_found() {
    let desk = Desk::executing(RetryClass::Once);
    finds(Mutation::StartedIsOrderedAgain, promises::ONCE, desk);
}

#[test]
fn a_stop_switch_that_nobody_reads_is_found() {
    finds(Mutation::SwitchNotRead, promises::STOPPED, Desk::executing(RetryClass::Once));
}

#[test]
fn a_late_result_that_counts_is_found() {
    finds(Mutation::LateResultCounts, promises::FENCED, Desk::executing(RetryClass::Keyed));
}

#[test]
fn a_person_who_counts_twice_is_found() {
    let left = Left { duplicates: 1, crashes: 0, flips: 0 };
    finds(Mutation::PersonCountsTwice, promises::GATE, Desk { left, ..Desk::whole() });
}
