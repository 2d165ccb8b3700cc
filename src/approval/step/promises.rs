//! Stories at random, and what must hold through all of them.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::tests::{at, vote_of};
use super::*;
use crate::approval::PersonFacts;
use crate::approval::sample::{person, sealed_under, stage, terms, user};
use crate::base::{PersonId, RequestId};

/// The accounts that act: which human each belongs to, and the stages they may decide at. Mia asks
/// through an automation of Noor's; both have accounts that the groups let in.
const CAST: [(&str, &str, [bool; 2]); 7] = [
    ("mia", "mia", [true, true]),
    ("mia-private", "mia", [true, true]),
    ("noor", "noor", [true, true]),
    ("jonas", "jonas", [true, false]),
    ("jonas-private", "jonas", [true, true]),
    ("priya", "priya", [false, true]),
    ("eve", "eve", [false, false]),
];

/// Something somebody tries.
#[derive(Clone, Debug)]
enum Try {
    Vote { account: usize, choice: Choice, late_by: u32 },
    Timer(TimerKind),
    Withdraw { account: usize },
    Cancel,
    Restore,
    Supersede,
    Undeliverable { stage: usize },
}

fn tries() -> impl Strategy<Value = Vec<(u32, Try)>> {
    let choice = prop_oneof![3 => Just(Choice::Approve), 1 => Just(Choice::Reject)];
    let attempt = prop_oneof![
        8 => (0..CAST.len(), choice, 0..3_u32)
            .prop_map(|(account, choice, late_by)| Try::Vote { account, choice, late_by }),
        5 => (0..3_usize).prop_map(|stage| Try::Timer(TimerKind::StageEnds { stage })),
        2 => (0..3_usize, 0..3_usize)
            .prop_map(|(stage, nth)| Try::Timer(TimerKind::Remind { stage, nth })),
        1 => (0..CAST.len()).prop_map(|account| Try::Withdraw { account }),
        1 => Just(Try::Cancel),
        1 => Just(Try::Restore),
        1 => Just(Try::Supersede),
        1 => (0..3_usize).prop_map(|stage| Try::Undeliverable { stage }),
    ];
    prop::collection::vec((0..25_u32, attempt), 1..30)
}

fn facts(account: usize) -> PersonFacts {
    let (account, human, _) = CAST[account];
    PersonFacts { user: user(account), ..person(human) }
}

fn attempt(request: &Request, what: &Try, minute: u32) -> Result<Stepped, Refusal> {
    let now = at(minute);
    match what {
        Try::Vote { account, choice, late_by } => {
            let (_, _, member) = CAST[*account];
            let received = at(minute.saturating_sub(*late_by));
            vote_of(request, facts(*account), &member, *choice, Some("because"), received)
        }
        Try::Timer(timer) => step(request, &Event::TimerDue(*timer), now),
        Try::Withdraw { account } => step(request, &Event::Withdraw { by: facts(*account) }, now),
        Try::Cancel => {
            let (operator, reason) = ("sam".to_owned(), "maintenance".to_owned());
            step(request, &Event::Cancel { operator, reason }, now)
        }
        Try::Restore => {
            let (operator, reason) = ("olga".to_owned(), "the disk broke".to_owned());
            step(request, &Event::Restore { operator, to: at(0), reason }, now)
        }
        Try::Supersede => {
            step(request, &Event::Supersede { by: RequestId::existing("req_2") }, now)
        }
        Try::Undeliverable { stage } => step(request, &Event::Undeliverable { stage: *stage }, now),
    }
}

/// What the store would hold: the timers that wait, and the orders that were given.
#[derive(Default)]
struct Ledger {
    timers: BTreeMap<String, Timestamp>,
    orders: Vec<Timestamp>,
    answers: usize,
}

impl Ledger {
    fn apply(&mut self, effects: &[Effect]) {
        for effect in effects {
            match effect {
                Effect::ClearTimers => self.timers.clear(),
                Effect::SetTimer { kind, due } => {
                    self.timers.insert(format!("{kind:?}"), *due);
                }
                Effect::OrderExecution { start_by } => self.orders.push(*start_by),
                Effect::AnswerRun(_) => self.answers += 1,
                Effect::ShowCard { .. }
                | Effect::ShowStatus
                | Effect::RefreshCards
                | Effect::Notify(_) => {}
            }
        }
    }

    /// When the timer fires that ends the stage a request has reached.
    fn stage_end(&self, request: &Request) -> Option<Timestamp> {
        let kind = TimerKind::StageEnds { stage: request.stage };
        self.timers.get(&format!("{kind:?}")).copied()
    }
}

/// The humans who approved at a stage.
fn approvers(request: &Request, stage: usize) -> BTreeSet<&str> {
    let votes = request.votes.iter();
    votes
        .filter(|vote| vote.choice == Choice::Approve && vote.stages.contains(&stage))
        .map(|vote| vote.by.person.as_str())
        .collect()
}

proptest! {
    #[test]
    fn whatever_happens_the_promises_hold(
        quorums in (1..3_u32, 1..3_u32),
        story in tries(),
    ) {
        let terms = terms(vec![stage("finance", quorums.0), stage("managers", quorums.1)]);
        let (mut request, effects) = open(&sealed_under(&terms), terms).unwrap();
        request.requester.owner = Some(PersonId::existing("noor"));
        let decide_by = request.decide_by();
        let mut ledger = Ledger::default();
        ledger.apply(&effects);
        let mut minute = 0;
        for (later, what) in &story {
            minute += later;
            let stepped = attempt(&request, what, minute);
            prop_assert_eq!(&stepped, &attempt(&request, what, minute), "it is a function");
            let Ok((next, effects)) = stepped else { continue };
            prop_assert!(request.is_pending(), "nothing follows an outcome");
            prop_assert_eq!(next.version, request.version + 1);
            prop_assert_eq!(next.decide_by(), decide_by, "no deadline ever moves");
            prop_assert!((request.stage..=request.stage + 1).contains(&next.stage));
            prop_assert!(next.votes.starts_with(&request.votes), "no vote is ever lost");
            ledger.apply(&effects);
            request = next;
            if request.is_pending() {
                let due = ledger.stage_end(&request);
                prop_assert_eq!(due, Some(request.stage_ends(request.stage)), "a live deadline");
            } else {
                prop_assert!(ledger.timers.is_empty(), "no timer outlives its request");
            }
        }

        let humans: BTreeSet<_> = request.votes.iter().map(|vote| &vote.by.person).collect();
        prop_assert_eq!(humans.len(), request.votes.len(), "one human, one vote");
        for vote in &request.votes {
            let human = vote.by.person.as_str();
            prop_assert!(human != "mia" && human != "noor", "nobody decides what they asked for");
            prop_assert!(vote.at < decide_by, "no vote after the deadline");
        }
        let enough = approvers(&request, 0).len() >= quorums.0 as usize
            || approvers(&request, 1).len() >= quorums.1 as usize;
        let refused = request.votes.iter().any(|vote| vote.choice == Choice::Reject);
        match &request.decision {
            None => prop_assert!(!enough && !refused && ledger.orders.is_empty()),
            Some(decision) => {
                let approved = decision.outcome == Outcome::Approved;
                prop_assert_eq!(approved, enough && !refused, "approved by a quorum, and only so");
                prop_assert_eq!(decision.outcome == Outcome::Rejected, refused, "one no is a no");
                let orders: Vec<_> = decision.start_by.into_iter().collect();
                prop_assert_eq!(&ledger.orders, &orders, "ordered once, if approved");
                prop_assert_eq!(orders.len() + ledger.answers, 1, "the run hears exactly once");
            }
        }
    }
}
