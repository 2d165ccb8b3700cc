//! The store's transactions in small: what is read, which production function decides, what is
//! written. The bugs that are put in on purpose stand here.

use countersign::approval::{
    Event, ExecutionState, Outcome, Request, Settlement, StartFacts, TimerKind, authorize, settle,
    step, warrant,
};
use countersign::base::{ExecutionId, Span};

use crate::desk::{Desk, Mutation, lease_from};
use crate::people::{Minute, Press, at, membership, person};
use crate::promises::{self, is_approved};
use crate::world::{Ended, Memory, Next, World};

/// The request as a transaction reads it.
pub fn request_as_read(desk: &Desk, world: &World) -> Request {
    let mut request = Request::clone(&world.row.request);
    if desk.mutation == Mutation::DecisionOverwritable {
        request.decision = None;
    }
    request
}

/// A click is written with its verdict, once however often it came.
pub fn click(desk: &Desk, world: &mut World, replica: usize) {
    let Memory::Clicked { click, received_at } = world.replicas[replica] else { return };
    world.replicas[replica] = Memory::Idle;
    let repeated = world.row.taken & 1 << click != 0;
    world.row.taken |= 1 << click;
    if !repeated || desk.mutation == Mutation::PersonCountsTwice {
        vote(desk, world, desk.click(click), received_at);
    }
}

pub fn vote(desk: &Desk, world: &mut World, press: Press, received_at: Minute) {
    let request = request_as_read(desk, world);
    let mut asked = request.clone();
    if desk.mutation == Mutation::PersonCountsTwice {
        asked.votes.clear();
    }
    let authority = authorize(&asked, person(press.who), &membership(press.who));
    let stepped = authority.and_then(|authority| {
        let vote = Event::Vote {
            authority,
            choice: press.choice,
            reason: Some("looked at it".to_owned()),
            received_at: at(received_at),
        };
        step(&request, &vote, world.now())
    });
    if let Ok(stepped) = stepped {
        world.commit(stepped);
    }
}

/// A timer that fires is gone, whatever comes of it.
pub fn fire(desk: &Desk, world: &mut World, kind: TimerKind) -> bool {
    world.row.timers.retain(|(timer, _)| *timer != kind);
    let stepped = step(&request_as_read(desk, world), &Event::TimerDue(kind), world.now());
    if let Ok(stepped) = stepped {
        world.commit(stepped);
    }
    true
}

pub fn claim(desk: &Desk, world: &mut World, replica: usize) {
    let now = world.now();
    let Some(execution) = &mut world.execution else { return };
    if desk.mutation == Mutation::StartedIsOrderedAgain {
        (execution.started_at, execution.attempts) = (None, 0);
    }
    let window = Span::minutes(u32::from(desk.remembers));
    let (state, next) = match settle(execution.begun(), desk.retry, window, now) {
        Settlement::OrderAgain => (ExecutionState::Claimed, Next::Call),
        Settlement::Repeat => (ExecutionState::Started, Next::Call),
        Settlement::Probe => (ExecutionState::Started, Next::Probe),
        Settlement::Unknown => {
            execution.state = ExecutionState::Unknown;
            return;
        }
        Settlement::Failed => {
            execution.state = ExecutionState::Failed;
            return;
        }
    };
    execution.state = state;
    execution.epoch += 1;
    execution.lease_until = lease_from(world.now);
    world.replicas[replica] = Memory::Claimed { epoch: execution.epoch, next };
}

/// Reads everything again and writes `started`, if it may.
pub fn start(desk: &Desk, world: &mut World, replica: usize) {
    let Memory::Claimed { epoch, next } = world.replicas[replica] else { return };
    world.replicas[replica] = Memory::Idle;
    let Some(execution) = world.execution else { return };
    let checks_epoch = desk.mutation != Mutation::StartWithoutEpochCheck;
    if checks_epoch && execution.is_over() {
        return;
    }
    let (sealed, asked) = desk.sealed();
    let facts = StartFacts {
        execution: ExecutionId::existing("exe_1"),
        stored_digest: sealed.digest(),
        sealed,
        decision: world.row.request.decision.clone().map(|decision| (decision, asked.digest)),
        policy_still_holds: true,
        tool_unchanged: true,
        equal_unsettled: false,
        stopped: world.stopped && desk.mutation != Mutation::SwitchNotRead,
        epoch: execution.epoch,
        claimed_epoch: if checks_epoch { epoch } else { execution.epoch },
        start_by: execution.start_by,
        begun: execution.begun(),
        window: Span::minutes(u32::from(desk.remembers)),
        key: "key_1".to_owned(),
    };
    let granted = warrant(facts, world.now());
    let Some(row) = &mut world.execution else { return };
    match granted {
        Ok(warrant) => {
            row.state = ExecutionState::Started;
            row.attempts += 1;
            row.lease_until = lease_from(world.now);
            row.unanswered = false;
            row.started_at = row.started_at.or(Some(at(world.now)));
            world.replicas[replica] = Memory::Warranted { epoch, next };
            judge_the_start(desk, world, epoch, warrant.sealed().digest() == asked.digest);
        }
        Err(refusal) => {
            if let Some(state) = refusal.leaves(execution.begun()) {
                row.state = state;
            }
        }
    }
}

/// The promises about a start, by what the world knows and not by what was asked in the start.
fn judge_the_start(desk: &Desk, world: &mut World, epoch: u64, same_bytes: bool) {
    if !is_approved(world) || !same_bytes {
        world.breaks(promises::GATE);
    }
    if world.row.request.decision.as_ref().is_none_or(|end| end.outcome != Outcome::Approved) {
        world.breaks(promises::NO_IS_FINAL);
    }
    if world.stopped {
        world.breaks(promises::STOPPED);
    }
    let Some(execution) = world.execution else { return };
    if execution.epoch != epoch {
        world.breaks(promises::FENCED);
    }
    // The target may have forgotten the key by now: no attempt may begin any more.
    let keyed = desk.retry == countersign::approval::RetryClass::Keyed;
    let window = Span::minutes(u32::from(desk.remembers));
    let forgotten = |first| world.now() >= at(0).max(first).plus(window);
    if keyed && execution.attempts > 1 && execution.started_at.is_some_and(forgotten) {
        world.breaks(promises::ONCE);
    }
}

/// The result, if it comes from whoever holds the execution; else it is evidence only.
pub fn finish(desk: &Desk, world: &mut World, replica: usize) {
    let Memory::Answered { epoch, ended } = world.replicas[replica] else { return };
    world.replicas[replica] = Memory::Idle;
    let Some(execution) = &mut world.execution else { return };
    let holds = execution.state == ExecutionState::Started && execution.epoch == epoch;
    if !holds && desk.mutation != Mutation::LateResultCounts {
        return;
    }
    let until = lease_from(world.now);
    let window = Span::minutes(u32::from(desk.remembers));
    let goes_on = match settle(execution.begun(), desk.retry, window, until) {
        Settlement::OrderAgain | Settlement::Repeat | Settlement::Probe => true,
        Settlement::Unknown | Settlement::Failed => false,
    };
    execution.state = match ended {
        Ended::Succeeded => ExecutionState::Succeeded,
        Ended::Failed => ExecutionState::Failed,
        Ended::Unanswered if goes_on => {
            (execution.lease_until, execution.unanswered) = (until, true);
            ExecutionState::Started
        }
        Ended::Unanswered => ExecutionState::Unknown,
    };
    if !holds {
        world.breaks(promises::FENCED);
    }
}
