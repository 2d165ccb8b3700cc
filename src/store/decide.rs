//! People decide: votes, withdrawals, the operator's cancel. Refusals are recorded as well.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ShownAt, Store, StoreError};
use crate::approval::{Choice, Decision, Membership, PersonFacts, Refusal};
use crate::base::{RequestId, Timestamp, WorkspaceId};

/// A verified press of Approve or Reject, or a sent dialog.
#[derive(Clone, Debug)]
pub struct Click {
    pub workspace: WorkspaceId,
    /// Names the delivery; a repetition gets the same verdict.
    pub intake_key: String,
    /// The button's token; in a dialog the one it was opened with.
    pub token: String,
    /// The message the button was pressed on; absent for a dialog.
    pub shown_at: Option<ShownAt>,
    pub choice: Choice,
    /// As the directory says now.
    pub person: PersonFacts,
    pub membership: Membership,
    pub reason: Option<String>,
    /// When the signed click reached us.
    pub received_at: Timestamp,
    /// For the record: delivery, signature time, channel, message.
    pub evidence: Value,
}

/// How an event counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counted {
    /// The vote is kept; the request is still pending.
    Vote,
    /// It ended the request.
    Decided(Decision),
}

/// What became of a click.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    pub request: RequestId,
    pub result: Result<Counted, Refusal>,
    /// The same delivery had come before; this is what it was answered then.
    pub repeated: bool,
}

impl Store {
    /// Counts a click, or refuses it and says why; either way it is committed on return.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] for a token that is not of this workspace,
    /// [`StoreError::Conflict`] for a known delivery key with another content.
    pub async fn decide(&self, click: Click) -> Result<Verdict, StoreError> {
        todo!("{click:?}")
    }

    /// The requester takes a request back. `key` names the delivery.
    pub async fn withdraw(
        &self,
        workspace: &WorkspaceId,
        request: &RequestId,
        key: &str,
        person: PersonFacts,
        evidence: Value,
    ) -> Result<Verdict, StoreError> {
        todo!("{workspace} {request} {key} {person:?} {evidence}")
    }

    /// The operator ends a request on the command line.
    pub async fn cancel(
        &self,
        workspace: &WorkspaceId,
        request: &RequestId,
        operator: &str,
        reason: &str,
    ) -> Result<Result<Decision, Refusal>, StoreError> {
        todo!("{workspace} {request} {operator} {reason}")
    }

    /// A stage's approvers cannot be shown the request: the next stage is asked at once.
    pub async fn undeliverable(
        &self,
        workspace: &WorkspaceId,
        request: &RequestId,
        stage: usize,
        why: &str,
    ) -> Result<Result<(), Refusal>, StoreError> {
        todo!("{workspace} {request} {stage} {why}")
    }
}
