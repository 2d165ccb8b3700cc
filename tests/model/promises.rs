//! What must hold in every state, and what must be reachable so that the first is worth something.

use countersign::approval::{ExecutionState, Outcome};
use stateright::Property;

use crate::desk::Desk;
use crate::people::{at, enough_approve};
use crate::world::World;

pub const GATE: &str = "I1 nothing starts that was not approved";
pub const ONE_END: &str = "I2 one end";
pub const OWNED: &str = "I4 whatever is pending has a timer";
pub const ONCE: &str = "I5 an effect happens once";
pub const CERTAIN: &str = "I5 what failed did not happen";
pub const NO_IS_FINAL: &str = "I10 an end stays";
pub const FENCED: &str = "I11 who lost the lease writes nothing";
pub const STOPPED: &str = "I24 nothing starts while the switch is on";

pub fn all(desk: &Desk) -> Vec<Property<Desk>> {
    let always = [
        Property::<Desk>::always(GATE, |_, world| kept(world, GATE)),
        Property::<Desk>::always(ONE_END, |_, world| {
            world.past.ends <= 1 && world.past.orders <= 1
        }),
        Property::<Desk>::always(OWNED, |_, world| is_owned(world)),
        Property::<Desk>::always(ONCE, |_, world| kept(world, ONCE)),
        Property::<Desk>::always(CERTAIN, |_, world| {
            world.target.effects == 0 || !stands(world, ExecutionState::Failed)
        }),
        Property::<Desk>::always(NO_IS_FINAL, |_, world| kept(world, NO_IS_FINAL)),
        Property::<Desk>::always(FENCED, |_, world| kept(world, FENCED)),
        Property::<Desk>::always(STOPPED, |_, world| kept(world, STOPPED)),
    ];
    let reached = desk.must_reach().into_iter().map(|(name, condition)| Property::<Desk> {
        expectation: stateright::Expectation::Sometimes,
        name,
        condition,
    });
    always.into_iter().chain(reached).collect()
}

pub type Reached = (&'static str, fn(&Desk, &World) -> bool);

/// How a request can end in every story in which it is not decided yet.
pub const ENDS_OF_A_REQUEST: [Reached; 4] = [
    ("approved", |_, world| ended(world, Outcome::Approved)),
    ("expired", |_, world| ended(world, Outcome::Expired)),
    ("cancelled", |_, world| ended(world, Outcome::Cancelled)),
    ("superseded", |_, world| ended(world, Outcome::Superseded)),
];

pub const REJECTED: Reached = ("rejected", |_, world| ended(world, Outcome::Rejected));

pub const APPROVED_BY_MANAGERS: Reached = ("approved by the managers", |_, world| {
    ended(world, Outcome::Approved) && world.row.request.stage == 1
});

pub const ENDS_OF_AN_EXECUTION: [Reached; 4] = [
    ("succeeded", |_, world| stands(world, ExecutionState::Succeeded)),
    ("failed", |_, world| stands(world, ExecutionState::Failed)),
    ("unknown", |_, world| stands(world, ExecutionState::Unknown)),
    ("refused", |_, world| stands(world, ExecutionState::Refused)),
];

/// For those that may be repeated: no answer came, and nobody gives up.
pub const UNANSWERED: Reached = ("left without an answer", |_, world| {
    let left = world.execution.is_some_and(|execution| execution.unanswered);
    left && stands(world, ExecutionState::Started)
});

/// For those that may be repeated: the second attempt got through.
pub const REPEATED: Reached = ("succeeded at the second attempt", |_, world| {
    let again = world.execution.is_some_and(|execution| execution.attempts > 1);
    again && stands(world, ExecutionState::Succeeded)
});

fn ended(world: &World, outcome: Outcome) -> bool {
    world.row.request.decision.as_ref().is_some_and(|decision| decision.outcome == outcome)
}

fn stands(world: &World, state: ExecutionState) -> bool {
    world.execution.is_some_and(|execution| execution.state == state)
}

fn kept(world: &World, promise: &'static str) -> bool {
    !world.past.broken.contains(promise)
}

fn is_owned(world: &World) -> bool {
    let by = world.row.request.decide_by();
    !world.row.request.is_pending() || world.row.timers.iter().any(|(_, due)| *due <= by)
}

/// Is there an approval behind what starts now? Told in this model's own words, beside `warrant`.
pub fn is_approved(world: &World) -> bool {
    let request = &world.row.request;
    let first_start = world.execution.and_then(|execution| execution.started_at);
    request.decision.as_ref().is_some_and(|decision| {
        decision.outcome == Outcome::Approved
            && decision.at < at(3)
            && decision.start_by.is_some_and(|by| first_start.unwrap_or(world.now()) < by)
            && enough_approve(request)
    })
}

/// Compares what was with what is: neither the end of a request nor that of an execution moves.
pub fn watch(before: &World, after: &mut World) {
    let (old, new) = (&before.row.request.decision, &after.row.request.decision);
    if old != new {
        after.past.ends += 1;
        if old.is_some() {
            after.breaks(NO_IS_FINAL);
        }
    }
    let first = after.past.first_end;
    let now = after.row.request.decision.as_ref().map(|decision| decision.outcome);
    after.past.first_end = first.or(now);
    if before.execution.is_some_and(|old| old.is_over() && after.execution != Some(old)) {
        after.breaks(NO_IS_FINAL);
    }
    let starts = |world: &World| world.execution.map_or(0, |execution| execution.attempts);
    if starts(after) > starts(before) && after.past.first_end != Some(Outcome::Approved) {
        after.breaks(NO_IS_FINAL);
    }
}
