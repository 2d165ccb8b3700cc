//! Notices: one-off messages owed to Slack.

use serde_json::Value;

use super::{ShownAt, Store, StoreError, Thread};
use crate::base::{NoticeId, RequestId, RunId, Span, Timestamp, WorkspaceId};

/// A message to owe.
#[derive(Clone, Debug)]
pub struct NewNotice {
    pub workspace: WorkspaceId,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    /// `reply`, `refusal`, …; the core's own notices are `reminder`, `decided`, `undeliverable`.
    pub kind: String,
    /// What to say, and where when neither request nor run tells.
    pub body: Value,
}

/// A message that is owed, held until the lease ends.
#[derive(Clone, Debug)]
pub struct OwedNotice {
    pub id: NoticeId,
    pub workspace: WorkspaceId,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    pub kind: String,
    /// For the core's own notices an [`approval::Notice`](crate::approval::Notice) as JSON.
    pub body: Value,
    /// The conversation of its run or request.
    pub thread: Option<Thread>,
    /// When the last post was begun, if nobody knows how it ended: look for it in the channel
    /// before posting again.
    pub unsure_since: Option<Timestamp>,
    pub epoch: u64,
    /// How often it was tried in vain.
    pub attempts: u64,
    pub created_at: Timestamp,
}

impl Store {
    /// Owes a message that belongs to no other transition.
    pub async fn owe_notice(&self, notice: NewNotice) -> Result<NoticeId, StoreError> {
        todo!("{notice:?}")
    }

    /// Takes at most `limit` messages that must be sent, oldest first.
    pub async fn claim_notices(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
    ) -> Result<Vec<OwedNotice>, StoreError> {
        todo!("{owner} {lease} {limit}")
    }

    /// Where the card of a stage stands, for a reminder under it.
    pub async fn stage_card(
        &self,
        request: &RequestId,
        stage: usize,
    ) -> Result<Option<ShownAt>, StoreError> {
        todo!("{request} {stage}")
    }

    /// A post is about to be sent. Until [`Store::notice_sent`] nobody knows whether it was.
    pub async fn notice_begins(&self, notice: &NoticeId, epoch: u64) -> Result<(), StoreError> {
        todo!("{notice} {epoch}")
    }

    pub async fn notice_sent(
        &self,
        notice: &NoticeId,
        epoch: u64,
        at: ShownAt,
    ) -> Result<(), StoreError> {
        todo!("{notice} {epoch} {at:?}")
    }

    /// Nobody knows whether the post got through; it is looked up from `retry_at`.
    pub async fn notice_unsure(
        &self,
        notice: &NoticeId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        todo!("{notice} {epoch} {retry_at} {error}")
    }

    /// It certainly did not get through; it is tried again from `retry_at`.
    pub async fn notice_retry(
        &self,
        notice: &NoticeId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        todo!("{notice} {epoch} {retry_at} {error}")
    }

    /// It can never be sent, or nobody needs it any more.
    pub async fn notice_dead(
        &self,
        notice: &NoticeId,
        epoch: u64,
        error: &str,
    ) -> Result<(), StoreError> {
        todo!("{notice} {epoch} {error}")
    }
}
