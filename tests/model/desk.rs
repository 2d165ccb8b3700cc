//! The model: which story is told, what can happen next, and what it does.

use countersign::approval::{Choice, Event, Outcome, Request, RetryClass, Sealed, TimerKind, step};
use countersign::base::{RequestId, Timestamp};
use std::sync::Arc;

use stateright::{Model, Property};

use crate::people::{Minute, Press, approve, asked, at, person, reject};
use crate::promises::{
    self, APPROVED_BY_MANAGERS, ENDS_OF_A_REQUEST, ENDS_OF_AN_EXECUTION, REJECTED, REPEATED,
    Reached, UNANSWERED,
};
use crate::transactions;
use crate::world::{Ended, Left, Memory, Next, Past, Row, Target, World};

/// A bug that is put in on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    None,
    DecisionOverwritable,
    StartWithoutEpochCheck,
    StartedIsOrderedAgain,
    SwitchNotRead,
    LateResultCounts,
    PersonCountsTwice,
}

/// What a worker does that stood still until its lease was over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zombies {
    Wake,
    StayDead,
}

/// One story.
#[derive(Clone, Debug)]
pub struct Desk {
    pub mutation: Mutation,
    pub zombies: Zombies,
    pub retry: RetryClass,
    /// For how many minutes the target of a keyed action knows a key.
    pub remembers: Minute,
    pub clicks: Vec<Press>,
    /// Presses that were counted at noon, before the story begins.
    pub before: Vec<Press>,
    pub executes: bool,
    pub ends_early: bool,
    pub until: Minute,
    pub left: Left,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    MinutePasses,
    Flip,
    Crash(usize),
    Delivered { replica: usize, click: usize },
    Voted(usize),
    Fired(TimerKind),
    Withdrawn,
    Cancelled,
    Superseded,
    Undeliverable,
    Claimed(usize),
    Started(usize),
    Called { replica: usize, fate: Fate },
    Probed { replica: usize, answered: bool },
    Finished(usize),
}

/// How a call went: at the target, and what the caller learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    Refused,
    DoneAndLost,
    Lost,
}

impl Desk {
    /// Everything that can happen to a request; what is approved is not run. A crash would only
    /// lose a click that is not written, as standing still does.
    pub fn deciding() -> Self {
        Self {
            mutation: Mutation::None,
            zombies: Zombies::Wake,
            retry: RetryClass::Once,
            remembers: 9,
            clicks: vec![approve("ann"), approve("cyd"), approve("max")],
            before: Vec::new(),
            executes: false,
            ends_early: true,
            until: 3,
            left: Left { duplicates: 1, crashes: 0, flips: 0 },
        }
    }

    /// Everything that can happen to an action that Ann and Bob approved at noon.
    pub fn executing(retry: RetryClass) -> Self {
        Self {
            retry,
            clicks: Vec::new(),
            before: vec![approve("ann"), approve("bob")],
            executes: true,
            ends_early: false,
            until: 4,
            left: Left { duplicates: 0, crashes: 2, flips: 2 },
            ..Self::deciding()
        }
    }

    /// Both together, with less of each.
    pub fn whole() -> Self {
        Self {
            clicks: vec![approve("ann"), approve("bob"), reject("cyd")],
            executes: true,
            left: Left { duplicates: 0, crashes: 1, flips: 1 },
            ..Self::deciding()
        }
    }

    pub fn must_reach(&self) -> Vec<Reached> {
        let mut reached = Vec::new();
        if self.executes {
            reached.extend(ENDS_OF_AN_EXECUTION);
        }
        if self.executes && self.retry != RetryClass::Once {
            reached.extend([UNANSWERED, REPEATED]);
        }
        if self.ends_early {
            let rejects = self.clicks.iter().any(|press| press.choice == Choice::Reject);
            reached.extend(ENDS_OF_A_REQUEST);
            reached.push(if rejects { REJECTED } else { APPROVED_BY_MANAGERS });
        }
        reached
    }

    pub fn sealed(&self) -> (Sealed, Request) {
        let (sealed, request, _) = asked(self.retry);
        (sealed, request)
    }

    pub fn click(&self, click: usize) -> Press {
        self.clicks[click]
    }

    fn of_replica(&self, world: &World, replica: usize, actions: &mut Vec<Action>) {
        match world.replicas[replica] {
            Memory::Idle => {
                let may_come = |&click: &usize| match world.delivered[click] {
                    0 => true,
                    1 => world.left.duplicates > 0,
                    _ => false,
                };
                let clicks = (0..self.clicks.len()).filter(may_come);
                actions.extend(clicks.map(|click| Action::Delivered { replica, click }));
                let due = |execution: &crate::world::Execution| {
                    execution.epoch == 0 || execution.lease_until <= world.now()
                };
                let claims =
                    world.execution.filter(|execution| !execution.is_over() && due(execution));
                if self.executes && claims.is_some() {
                    actions.push(Action::Claimed(replica));
                }
                return;
            }
            Memory::Clicked { .. } => actions.push(Action::Voted(replica)),
            Memory::Claimed { .. } => actions.push(Action::Started(replica)),
            Memory::Warranted { epoch, next } => {
                let holds = world.execution.is_some_and(|execution| {
                    execution.epoch == epoch && world.now() < execution.lease_until
                });
                if holds || self.zombies == Zombies::Wake {
                    match next {
                        Next::Probe => {
                            actions.push(Action::Probed { replica, answered: true });
                            actions.push(Action::Probed { replica, answered: false });
                        }
                        Next::Call => {
                            let fates = [Fate::Done, Fate::Refused, Fate::DoneAndLost, Fate::Lost];
                            actions.extend(fates.map(|fate| Action::Called { replica, fate }));
                        }
                    }
                }
            }
            Memory::Answered { .. } => actions.push(Action::Finished(replica)),
        }
        if world.left.crashes > 0 {
            actions.push(Action::Crash(replica));
        }
    }
}

impl Model for Desk {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let (_, request, effects) = asked(self.retry);
        let mut world = World {
            now: 0,
            row: Row { request: Arc::new(request.clone()), timers: Vec::new(), taken: 0 },
            execution: None,
            stopped: false,
            replicas: [Memory::Idle; 2],
            target: Target::default(),
            delivered: vec![0; self.clicks.len()],
            left: self.left,
            past: Past::default(),
        };
        world.commit((request, effects));
        for press in &self.before {
            transactions::vote(self, &mut world, *press, 0);
        }
        if !self.before.is_empty() {
            assert_eq!(world.row.request.decision.as_ref().unwrap().outcome, Outcome::Approved);
            (world.past.ends, world.past.first_end) = (1, Some(Outcome::Approved));
        }
        vec![world]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.now < self.until {
            actions.push(Action::MinutePasses);
        }
        if self.executes && world.left.flips > 0 {
            actions.push(Action::Flip);
        }
        let due = |due: Timestamp| due <= world.now();
        let timers = world.row.timers.iter().filter(|(_, at)| due(*at));
        actions.extend(timers.map(|(kind, _)| Action::Fired(*kind)));
        if self.ends_early {
            actions.extend([Action::Withdrawn, Action::Cancelled, Action::Superseded]);
            if world.row.request.stage == 0 {
                actions.push(Action::Undeliverable);
            }
        }
        for replica in 0..world.replicas.len() {
            self.of_replica(world, replica, actions);
        }
    }

    fn next_state(&self, before: &World, action: Action) -> Option<World> {
        let mut world = before.clone();
        let changed = self.does(&mut world, &action);
        if !changed {
            return None;
        }
        promises::watch(before, &mut world);
        // The replicas are alike, so which of them is which tells no two worlds apart.
        world.replicas.sort_unstable();
        Some(world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        promises::all(self)
    }
}

impl Desk {
    /// Says whether anything came of it.
    fn does(&self, world: &mut World, action: &Action) -> bool {
        let ended_by = |world: &mut World, event: Event| {
            let row = transactions::request_as_read(self, world);
            let stepped = step(&row, &event, world.now());
            stepped.map(|stepped| world.commit(stepped)).is_ok()
        };
        match *action {
            Action::MinutePasses => world.now += 1,
            Action::Flip => {
                world.left.flips -= 1;
                world.stopped = !world.stopped;
            }
            Action::Crash(replica) => {
                world.left.crashes -= 1;
                world.replicas[replica] = Memory::Idle;
            }
            Action::Delivered { replica, click } => {
                if world.delivered[click] > 0 {
                    world.left.duplicates -= 1;
                }
                world.delivered[click] += 1;
                world.replicas[replica] = Memory::Clicked { click, received_at: world.now };
            }
            Action::Voted(replica) => transactions::click(self, world, replica),
            Action::Fired(kind) => return transactions::fire(self, world, kind),
            Action::Withdrawn => return ended_by(world, Event::Withdraw { by: person("mia") }),
            Action::Cancelled => {
                let (operator, reason) = ("root".to_owned(), "a mistake".to_owned());
                return ended_by(world, Event::Cancel { operator, reason });
            }
            Action::Superseded => {
                return ended_by(world, Event::Supersede { by: RequestId::existing("req_2") });
            }
            Action::Undeliverable => return ended_by(world, Event::Undeliverable { stage: 0 }),
            Action::Claimed(replica) => transactions::claim(self, world, replica),
            Action::Started(replica) => transactions::start(self, world, replica),
            Action::Called { replica, fate } => self.call(world, replica, fate),
            Action::Probed { replica, answered } => probe(world, replica, answered),
            Action::Finished(replica) => transactions::finish(self, world, replica),
        }
        true
    }

    /// The target acts, or not, and the caller hears of it, or not.
    fn call(&self, world: &mut World, replica: usize, fate: Fate) {
        let Memory::Warranted { epoch, .. } = world.replicas[replica] else { return };
        if matches!(fate, Fate::Done | Fate::DoneAndLost) {
            let now = world.now;
            let knows = |acted: Minute| now < acted + self.remembers;
            let acts = match self.retry {
                RetryClass::Pure => false,
                RetryClass::Keyed => !world.target.acted_at.is_some_and(knows),
                RetryClass::Probe | RetryClass::Once => true,
            };
            if acts {
                world.target.effects += 1;
                world.target.acted_at = Some(now);
            }
            if world.target.effects > 1 {
                world.breaks(promises::ONCE);
            }
        }
        let repeats = world.execution.is_some_and(|execution| execution.attempts > 1);
        let ended = match fate {
            Fate::Done => Ended::Succeeded,
            // That a repetition was refused says nothing of the call before it.
            Fate::Refused
                if repeats && matches!(self.retry, RetryClass::Keyed | RetryClass::Probe) =>
            {
                Ended::Unanswered
            }
            Fate::Refused => Ended::Failed,
            Fate::DoneAndLost | Fate::Lost => Ended::Unanswered,
        };
        world.replicas[replica] = Memory::Answered { epoch, ended };
    }
}

/// The target says whether it acted, or nothing.
fn probe(world: &mut World, replica: usize, answered: bool) {
    let Memory::Warranted { epoch, .. } = world.replicas[replica] else { return };
    world.replicas[replica] = match (answered, world.target.effects) {
        (true, 0) => Memory::Warranted { epoch, next: Next::Call },
        (true, _) => Memory::Answered { epoch, ended: Ended::Succeeded },
        (false, _) => Memory::Answered { epoch, ended: Ended::Unanswered },
    };
}

/// How long a claim holds: a minute, which is one step of this clock.
pub fn lease_from(now: Minute) -> Timestamp {
    at(now + 1)
}
