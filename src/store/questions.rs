//! The questions of a suspended run: one for each tool call that its agent proposes.

use serde_json::Value;

use crate::approval::{Effect, Request, Sealed};
use crate::base::Timestamp;

/// One interrupt, already put to the policy.
#[derive(Clone, Debug)]
pub struct Question {
    pub interrupt_id: String,
    /// What the graph asked.
    pub value: Value,
    pub outcome: QuestionOutcome,
}

#[derive(Clone, Debug)]
pub enum QuestionOutcome {
    /// It needs nobody: invalid, or denied by the policy.
    Answered(Value),
    /// A rule allows it: it may run once, if it starts before `start_by`.
    Allowed { sealed: Box<Sealed>, start_by: Timestamp },
    /// People are asked.
    Asked(Box<NewRequest>),
}

/// A request as [`approval::open`](crate::approval::open) made it, with what its card shows.
#[derive(Clone, Debug)]
pub struct NewRequest {
    pub request: Request,
    pub effects: Vec<Effect>,
    pub sealed: Sealed,
    /// The agent's own words. Never a fact.
    pub claim: Option<String>,
    /// Why the policy asked although a condition failed to evaluate.
    pub because: Option<String>,
    /// Paths of the arguments pinned on top of the card.
    pub show: Vec<String>,
}
