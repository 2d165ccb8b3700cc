//! Everything there is: what the database holds, what each replica has in memory, what happened at
//! the target, and what the checks remember of the past.

use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use countersign::approval::{Begun, Effect, ExecutionState, Outcome, Request, TimerKind};
use countersign::base::Timestamp;

use crate::people::{Minute, at};

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct World {
    pub now: Minute,
    pub row: Row,
    pub execution: Option<Execution>,
    pub stopped: bool,
    pub replicas: [Memory; 2],
    pub target: Target,
    /// How often each click of the story came in.
    pub delivered: Vec<u8>,
    pub left: Left,
    pub past: Past,
}

/// The request with what hangs on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub request: Arc<Request>,
    pub timers: Vec<(TimerKind, Timestamp)>,
    /// One bit for each click that was taken: one delivered twice is one click.
    pub taken: u8,
}

/// The terms and the ids never change, so hashing what does tells all states apart.
impl Hash for Row {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        let Request { version, stage, stage_since, votes, decision, .. } = self.request.as_ref();
        (version, stage, stage_since, &self.timers, self.taken).hash(hasher);
        for vote in votes {
            (&vote.by.person, vote.at, &vote.stages, vote.choice as u8).hash(hasher);
        }
        if let Some(decision) = decision {
            (decision.outcome, decision.at, decision.start_by).hash(hasher);
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Execution {
    pub state: ExecutionState,
    pub epoch: u64,
    pub attempts: u32,
    pub started_at: Option<Timestamp>,
    pub start_by: Timestamp,
    pub lease_until: Timestamp,
    /// No answer came to its last call, and it has been written down.
    pub unanswered: bool,
}

impl Execution {
    pub fn begun(&self) -> Option<Begun> {
        self.started_at.map(|first| Begun { first, attempts: self.attempts })
    }

    pub fn is_over(&self) -> bool {
        match self.state {
            ExecutionState::Ordered | ExecutionState::Claimed | ExecutionState::Started => false,
            ExecutionState::Succeeded
            | ExecutionState::Failed
            | ExecutionState::Unknown
            | ExecutionState::Refused => true,
        }
    }
}

/// What a replica is in the middle of. A crash takes it; standing still keeps it for too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Memory {
    Idle,
    /// A signed click came in and is not written yet.
    Clicked {
        click: usize,
        received_at: Minute,
    },
    Claimed {
        epoch: u64,
        next: Next,
    },
    /// `started` is written; the target has not heard of it.
    Warranted {
        epoch: u64,
        next: Next,
    },
    /// The target has answered, or its answer got lost.
    Answered {
        epoch: u64,
        ended: Ended,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Next {
    Call,
    Probe,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ended {
    Succeeded,
    Failed,
    /// No answer came to the call, or to the question what became of it.
    Unanswered,
}

/// The target's own journal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    pub effects: u8,
    /// When it last acted for our key.
    pub acted_at: Option<Minute>,
}

/// What may still go wrong in this story.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Left {
    pub duplicates: u8,
    pub crashes: u8,
    pub flips: u8,
}

/// What the checks remember; the desk never reads it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Past {
    pub ends: u8,
    pub first_end: Option<Outcome>,
    pub orders: u8,
    pub broken: BTreeSet<&'static str>,
}

impl World {
    pub fn now(&self) -> Timestamp {
        at(self.now)
    }

    /// Writes a new state of the request and everything that follows from it, in one transaction.
    pub fn commit(&mut self, (request, effects): (Request, Vec<Effect>)) {
        self.row.request = Arc::new(request);
        for effect in effects {
            match effect {
                Effect::SetTimer { kind, due } => self.row.timers.push((kind, due)),
                Effect::ClearTimers => self.row.timers.clear(),
                Effect::OrderExecution { start_by } => {
                    self.past.orders += 1;
                    self.execution = Some(Execution {
                        state: ExecutionState::Ordered,
                        epoch: 0,
                        attempts: 0,
                        started_at: None,
                        start_by,
                        lease_until: start_by,
                        unanswered: false,
                    });
                }
                Effect::ShowCard { .. }
                | Effect::ShowStatus
                | Effect::RefreshCards
                | Effect::Notify(_)
                | Effect::AnswerRun(_) => {}
            }
        }
    }

    pub fn breaks(&mut self, promise: &'static str) {
        self.past.broken.insert(promise);
    }
}
