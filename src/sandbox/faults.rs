//! Faults on order: what goes wrong with the next calls of a method.

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
}
