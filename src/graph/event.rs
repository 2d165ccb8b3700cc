//! What a run tells while it goes on.

use serde_json::Value;

use super::{Interrupt, State, Update};

/// One thing that happened in a run, in the order of happening.
///
/// Tokens and custom events are live; a superstep's end and its values come after its checkpoint
/// was saved, so they are true when they are told.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A superstep begins, with these nodes in the order in which their writes will be applied.
    SuperstepStarted { step: i64, nodes: &'a [&'a str] },
    /// A task of `node` begins.
    NodeStarted { step: i64, node: &'a str },
    /// A piece of a model's answer.
    Token { step: i64, node: &'a str, text: &'a str },
    /// Whatever a node wanted to tell.
    Custom { step: i64, node: &'a str, value: &'a Value },
    /// A task is done. `cached`: it was done before this run continued and did not run again.
    NodeFinished { step: i64, node: &'a str, update: &'a Update, cached: bool },
    /// A task waits for answers to these questions.
    NodeInterrupted { step: i64, node: &'a str, interrupts: &'a [Interrupt] },
    /// A task failed, and the run with it.
    NodeFailed { step: i64, node: &'a str },
    /// The superstep's writes are applied and saved; this is the state now.
    SuperstepFinished { step: i64, state: &'a State },
}

/// Where a run's events go. It is called from within the run and must not block: hand the event
/// on and return.
pub trait EventSink: Send + Sync {
    fn event(&self, event: Event<'_>);
}

/// The sink of a run that nobody watches.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoEvents;

impl EventSink for NoEvents {
    fn event(&self, _: Event<'_>) {}
}
