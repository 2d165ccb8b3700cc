//! The machine: one event on one request.

use super::{Effect, Event, Refusal, Request, Requester, Sealed, Terms};
use crate::base::Timestamp;

/// Opens a request for a sealed action: its first state, and what is owed at once.
pub fn open(sealed: &Sealed, terms: Terms, requester: Requester) -> (Request, Vec<Effect>) {
    todo!("{sealed:?} {terms:?} {requester:?}")
}

/// Applies one event. Pure: the same request, event and instant always give the same answer.
///
/// On success the new state has a version one higher, and the effects must be committed with it.
/// A refusal changes nothing; it is still recorded by the caller.
pub fn step(request: &Request, event: &Event, now: Timestamp) -> Result<(Request, Vec<Effect>), Refusal> {
    todo!("{request:?} {event:?} {now}")
}
