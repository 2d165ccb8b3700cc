//! Faults on order: what goes wrong with the next calls of a method, or with all calls for a while.

use crate::base::Span;

/// One thing that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// HTTP 429 with `Retry-After`.
    RateLimited(Span),
    /// HTTP 500; nothing was done.
    ServerError,
    /// HTTP 200 with `ok: false` and this code.
    Code(String),
    /// It was done, and the answer is lost.
    AnswerLost,
    /// It is on its way so long, and nobody waits for the answer.
    Late(Span),
    /// It was done, and the answer is a page of HTML, as of a proxy.
    Page,
    /// It was done, and the answer has fields that nobody knows and none that may be left out.
    Strange,
}

/// What is wrong with every call until it is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    /// HTTP 503; nothing is done.
    Down,
    /// The token is no good any more.
    Revoked,
}
