//! The pure core: what an action is, who may decide on it, and what follows from each event.
//!
//! Nothing in here does I/O, reads a clock or draws randomness, and nothing in here imports
//! another room than [`crate::base`]. Production, the tests, the model checker, the simulator and
//! the offline verifier all call the one function [`step`].

mod authority;
mod canonical;
mod condition;
mod envelope;
mod event;
mod execution;
mod finding;
mod person;
mod policy;
mod reduced;
mod request;
#[cfg(test)]
mod sample;
mod step;
mod unseen;

pub use authority::{Authority, Membership, authorize};
pub use canonical::{CanonicalError, parse_strict};
pub use condition::{Condition, ConditionError, Expression, Wanted};
pub use envelope::{Digest, Envelope, PolicyFacts, Sealed, ToolFacts};
pub use event::{Effect, Event, Notice, Refusal, TimerKind};
pub use execution::{
    Begun, ExecutionState, RetryClass, Settlement, StartFacts, StartRefusal, Warrant, settle,
    warrant,
};
pub use finding::{Finding, Late, Settled};
pub use person::{PersonFacts, Requester, SlackUser, Standing};
pub use policy::{Ask, Policy, Proposal, Rule, Ruling, Then};
pub use reduced::{Kept, Remains};
pub use request::{
    Approvers, Choice, DecidedBy, Decision, Outcome, Place, ReasonRule, Request, Risk, Separation,
    Stage, Terms, Vote,
};
pub use step::{OpenError, open, step};
pub use unseen::Unseen;
