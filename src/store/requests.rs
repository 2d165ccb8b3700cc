//! Requests as rows: how they are read and how a new state is written.

use super::{ExecutionView, Store, StoreError, Thread};
use crate::approval::{Request, Sealed};
use crate::base::{CardId, RequestId, RunId, WorkspaceId};

/// A request with all that a person may be shown of it.
#[derive(Clone, Debug)]
pub struct StoredRequest {
    pub request: Request,
    pub sealed: Sealed,
    /// The agent's own words. Never a fact.
    pub claim: Option<String>,
    pub because: Option<String>,
    pub show: Vec<String>,
    pub run: Option<RunId>,
    /// Where the requester is told.
    pub thread: Option<Thread>,
    /// Why some stage's approvers could not be shown it, if so.
    pub undeliverable: Option<String>,
    pub execution: Option<ExecutionView>,
}

/// What a button stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ButtonChoice {
    Approve,
    Reject,
    ShowAll,
    Withdraw,
}

/// A Slack message of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShownAt {
    /// Slack's id of the channel.
    pub channel: String,
    pub message_ts: String,
}

/// What an opaque button token stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    pub token: String,
    pub request: RequestId,
    pub card: CardId,
    pub choice: ButtonChoice,
    /// Where its card was posted; absent until Slack's answer to the post is stored.
    pub shown_at: Option<ShownAt>,
}

impl Store {
    /// What a token stands for; nothing for a token that is not of this workspace.
    pub async fn button(
        &self,
        workspace: &WorkspaceId,
        token: &str,
    ) -> Result<Option<Button>, StoreError> {
        todo!("{workspace} {token}")
    }

    /// The approve button that belongs to the same card: for the dialog that shows everything.
    pub async fn approve_token(&self, card: &CardId) -> Result<Option<String>, StoreError> {
        todo!("{card}")
    }

    /// One request; nothing when it is not of this workspace.
    pub async fn request(
        &self,
        workspace: &WorkspaceId,
        request: &RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        todo!("{workspace} {request}")
    }
}
