//! How often each thing happened, and what must have happened, or nothing is known about it.

use std::collections::BTreeMap;

use crate::faults::{Fault, Port};

/// What goes wrong apart from the calls, by the name it is counted under.
pub const CRASH: &str = "a replica crashes";
pub const CRASH_IN_A_CALL: &str = "a replica crashes between a call and its result";
pub const CRASH_OF_ALL: &str = "everything crashes";
pub const SLEEP: &str = "a worker stands still past its lease";
pub const JUMP_BACK: &str = "time jumps back";
pub const JUMP_AHEAD: &str = "time jumps ahead";
/// What changes in Slack for a while.
pub const ARCHIVED: &str = "slack: a channel is archived";
pub const THROWN_OUT: &str = "slack: we are thrown out of a channel";
pub const UNINSTALLED: &str = "slack: the app is uninstalled";

#[derive(Clone, Debug, Default)]
pub struct Counts(pub BTreeMap<String, u64>);

impl Counts {
    pub fn add(&mut self, what: impl Into<String>) {
        *self.0.entry(what.into()).or_default() += 1;
    }

    pub fn fired(&mut self, fault: Fault) {
        self.add(said(fault));
    }

    pub fn take_in(&mut self, other: &Self) {
        for (what, count) in &other.0 {
            *self.0.entry(what.clone()).or_default() += count;
        }
    }

    fn has(&self, what: &str) -> bool {
        self.0.contains_key(what)
    }

    /// From where nothing came in a few seeds: they need not have met every kind of trouble, but
    /// each port, a crash, a sleep and a clock that jumps.
    pub fn quiet(&self) -> Vec<String> {
        let silent = |port: &Port| {
            let faults = Fault::ALL.into_iter().filter(|fault| fault.port() == *port);
            !faults.map(said).any(|fault| self.has(&fault))
        };
        let ports = Port::ALL.into_iter().filter(silent).map(|port| format!("{port:?}"));
        let others: [&[&str]; 3] =
            [&[CRASH, CRASH_IN_A_CALL, CRASH_OF_ALL], &[SLEEP], &[JUMP_BACK, JUMP_AHEAD]];
        let others = others.into_iter().filter(|kinds| !kinds.iter().any(|kind| self.has(kind)));
        ports.chain(others.map(|kinds| kinds.join(" or "))).collect()
    }

    /// What never happened of all that may, in a campaign.
    pub fn never(&self) -> Vec<String> {
        let others = [
            CRASH,
            CRASH_IN_A_CALL,
            CRASH_OF_ALL,
            SLEEP,
            JUMP_BACK,
            JUMP_AHEAD,
            ARCHIVED,
            THROWN_OUT,
            UNINSTALLED,
        ];
        let all = Fault::ALL.into_iter().map(said).chain(others.map(str::to_owned));
        all.filter(|what| !self.has(what)).collect()
    }
}

fn said(fault: Fault) -> String {
    format!("fault {fault:?}")
}

#[test]
fn what_never_went_wrong_is_named() {
    let mut counts = Counts::default();
    assert_eq!(counts.quiet().len(), 7, "{:?}", counts.quiet());
    counts.fired(Fault::ModelCutOff);
    counts.add(CRASH_OF_ALL);
    counts.add(JUMP_BACK);
    assert_eq!(counts.quiet(), ["Database", "Slack", "Tool", SLEEP]);
    let never = counts.never();
    assert!(never.contains(&JUMP_AHEAD.to_owned()) && never.contains(&CRASH.to_owned()));
    assert!(!never.contains(&said(Fault::ModelCutOff)) && !never.contains(&JUMP_BACK.to_owned()));
}
