//! What a card is made from, and what comes out.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::approval::{ExecutionState, Late, Request, Sealed, Settled};
use crate::base::Timestamp;

/// Everything a card, a status line or a modal shows. Facts only, but for `claim`.
#[derive(Clone, Copy, Debug)]
pub struct CardView<'a> {
    pub request: &'a Request,
    pub sealed: &'a Sealed,
    /// The agent's own words beside the call. Stands last, labelled as what it is.
    pub claim: Option<&'a str>,
    /// Paths of the arguments pinned on top: `amount`, `customer.id`, `items[0]`.
    pub show: &'a [String],
    /// One entry per stage of the path; missing ones fall back to the names in the terms.
    pub stages: &'a [StageNames],
    /// Why the policy asked although a condition failed to evaluate.
    pub because: Option<&'a str>,
    /// Once it was approved (or allowed): how far the action is.
    pub execution: Option<ExecutionView<'a>>,
    pub buttons: Buttons<'a>,
    /// Why some stage's approvers could not be shown the request, if so.
    pub undeliverable: Option<&'a str>,
    pub now: Timestamp,
}

impl CardView<'_> {
    /// May anything still be decided? After the deadline nothing may, also before the timer that
    /// says so has fired.
    pub fn is_open(&self) -> bool {
        self.request.is_pending() && self.now < self.request.decide_by()
    }
}

/// A stage in people's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StageNames {
    /// Who is in its groups now, by the directory's names: for reading only.
    pub people: Vec<String>,
    /// Where it is shown: `#approvals`.
    pub channel: String,
}

/// How the one execution stands.
#[derive(Clone, Copy, Debug)]
pub struct ExecutionView<'a> {
    pub state: ExecutionState,
    /// The result when it succeeded; else why it failed, is unknown or was refused. While it is
    /// begun: how its last call ended, if that did not say whether it happened.
    pub note: Option<&'a str>,
    /// What a worker said that had lost it, while its outcome is unknown.
    pub late: Option<&'a Late>,
    pub ended_at: Option<Timestamp>,
    /// What a human found out, when its outcome was unknown.
    pub settled: Option<&'a Settled>,
}

/// The opaque tokens of a card's buttons. A button without a token is not drawn.
#[derive(Clone, Copy, Debug, Default)]
pub struct Buttons<'a> {
    pub approve: Option<&'a str>,
    pub reject: Option<&'a str>,
    pub show_all: Option<&'a str>,
    pub withdraw: Option<&'a str>,
}

/// Whether a person could see every byte of the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Completeness {
    /// All of it stands on this message.
    Whole,
    /// Only *Show all* holds it; the approve control is there and not here.
    BehindShowAll,
    /// Nothing Slack offers can hold it: it can be rejected, never approved.
    TooBig,
}

/// A finished message.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The fallback and notification text (mrkdwn, escaped). No arguments in it.
    pub text: String,
    pub blocks: Vec<Value>,
    pub complete: Completeness,
    /// SHA-256 over text and blocks, in hex: what was shown.
    pub hash: String,
}

impl Rendered {
    pub(in crate::slack) fn new(text: String, blocks: Vec<Value>, complete: Completeness) -> Self {
        let mut shown = Sha256::new_with_prefix(&text);
        for block in &blocks {
            shown.update("\0");
            shown.update(block.to_string());
        }
        Self { text, blocks, complete, hash: hex::encode(shown.finalize()) }
    }
}
