//! Notices: one-off messages owed to Slack.

mod action;
mod claim;

pub use action::ActionNotice;
pub(super) use action::owe_about;
pub(super) use claim::claim;
use serde_json::Value;

use super::buttons::shown_at;
use super::digests::DIGEST;
use super::rows::{big, text};
use super::runs::fenced;
use super::{ShownAt, Store, StoreError, Thread, Tx};
use crate::base::{NoticeId, RequestId, RunId, Span, Timestamp, WorkspaceId};

/// A message to owe.
#[derive(Clone, Debug)]
pub struct NewNotice {
    pub workspace: WorkspaceId,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    /// `reply`, `action`, …; the core's own notices are `reminder`, `escalated`, `decided`,
    /// `undeliverable`.
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
    /// For the core's own notices an [`approval::Notice`](crate::approval::Notice) as JSON, for those
    /// about an action without a request an [`ActionNotice`].
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
    /// Who hears it, when it is one of those that [digests](super::digests) are made of, or a digest.
    pub audience: Option<String>,
}

impl OwedNotice {
    /// Whether it tells what others would have told singly.
    pub fn is_digest(&self) -> bool {
        self.kind == DIGEST
    }
}

impl Store {
    /// Where the card of a stage stands, for a reminder under it.
    pub async fn stage_card(
        &self,
        request: &RequestId,
        stage: usize,
    ) -> Result<Option<ShownAt>, StoreError> {
        let card: Option<(Option<String>, Option<String>)> = sqlx::query_as(
            "SELECT channel, message_ts FROM cards
             WHERE request_id = $1 AND kind = 'stage' AND stage = $2",
        )
        .bind(request.as_str())
        .bind(big(stage))
        .fetch_optional(&mut self.reader().await?)
        .await?;
        Ok(card.and_then(|(channel, message_ts)| shown_at(channel, message_ts)))
    }

    /// A post is about to be sent later than its claim said, or once more: it is held for another
    /// `lease`, and whatever began first stays what is looked for.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has it by now.
    pub async fn notice_begins(
        &self,
        notice: &NoticeId,
        epoch: u64,
        lease: Span,
    ) -> Result<(), StoreError> {
        let statement = "UPDATE notices SET intent_at = COALESCE(intent_at, $3), lease_until = $4
             WHERE id = $1 AND epoch = $2";
        self.begin_late(statement, notice.as_str(), epoch, lease).await
    }

    pub async fn notice_sent(
        &self,
        notice: &NoticeId,
        epoch: u64,
        at: ShownAt,
    ) -> Result<(), StoreError> {
        let notice = notice.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let sent = sqlx::query(
                    "UPDATE notices SET state = 'sent', channel = $3, message_ts = $4,
                            intent_at = NULL, error = NULL, owner = NULL, lease_until = NULL
                     WHERE id = $1 AND epoch = $2 AND state = 'owed'",
                )
                .bind(notice.as_str())
                .bind(big(epoch))
                .bind(at.channel)
                .bind(at.message_ts)
                .execute(&mut tx.conn)
                .await?;
                fenced(&sent)
            })
        })
        .await
    }

    /// Nobody knows whether the post got through; it is looked up from `retry_at`.
    pub async fn notice_unsure(
        &self,
        notice: &NoticeId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let statement = "UPDATE notices SET retry_at = $3, error = $4, attempts = attempts + 1,
                                owner = NULL, lease_until = NULL
                         WHERE id = $1 AND epoch = $2 AND state = 'owed'";
        self.settle_delivery(statement, notice.as_str(), epoch, Some(retry_at), Some(error)).await
    }

    /// It certainly did not get through; it is tried again from `retry_at`.
    pub async fn notice_retry(
        &self,
        notice: &NoticeId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let statement = "UPDATE notices SET retry_at = $3, error = $4, attempts = attempts + 1,
                                intent_at = NULL, owner = NULL, lease_until = NULL
                         WHERE id = $1 AND epoch = $2 AND state = 'owed'";
        self.settle_delivery(statement, notice.as_str(), epoch, Some(retry_at), Some(error)).await
    }

    /// It can never be sent, or nobody needs it any more.
    pub async fn notice_dead(
        &self,
        notice: &NoticeId,
        epoch: u64,
        error: &str,
    ) -> Result<(), StoreError> {
        let statement = "UPDATE notices SET state = 'dead', retry_at = $3, error = $4,
                                owner = NULL, lease_until = NULL
                         WHERE id = $1 AND epoch = $2 AND state = 'owed'";
        self.settle_delivery(statement, notice.as_str(), epoch, None, Some(error)).await
    }

    /// Nobody takes over what is about to be sent: its intent would look as if it were their own.
    pub(super) async fn begin_late(
        &self,
        statement: &'static str,
        id: &str,
        epoch: u64,
        lease: Span,
    ) -> Result<(), StoreError> {
        let id = id.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let begun = sqlx::query(statement)
                    .bind(id)
                    .bind(big(epoch))
                    .bind(tx.now.as_millis())
                    .bind(tx.now.plus(lease).as_millis())
                    .execute(&mut tx.conn)
                    .await?;
                fenced(&begun)
            })
        })
        .await
    }

    /// One fenced update of a delivery: `$1` id, `$2` epoch, `$3` an instant, now unless another
    /// is given, `$4` an error.
    pub(super) async fn settle_delivery(
        &self,
        statement: &'static str,
        id: &str,
        epoch: u64,
        at: Option<Timestamp>,
        error: Option<&str>,
    ) -> Result<(), StoreError> {
        let (id, error) = (id.to_owned(), error.map(text));
        self.write(move |tx| {
            Box::pin(async move {
                let written = sqlx::query(statement)
                    .bind(id)
                    .bind(big(epoch))
                    .bind(at.map_or(tx.now, |at| tx.due_at(at)).as_millis())
                    .bind(error)
                    .execute(&mut tx.conn)
                    .await?;
                fenced(&written)
            })
        })
        .await
    }
}

/// Owes a message in the transaction of what it tells. What a thread would hear is not owed where
/// the run has no thread in Slack: a caller of the API reads the run's events.
pub(super) async fn owe(tx: &mut Tx, notice: &NewNotice) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO notices (id, workspace, request_id, run_id, kind, body, state, epoch, attempts,
                              retry_at, created_at)
         SELECT $1, $2, $3, $4, $5, $6, 'owed', 0, 0, $7, $7
         WHERE NOT EXISTS (
           SELECT 1 FROM runs JOIN threads ON threads.id = thread_id
           WHERE runs.id = $4 AND channel IS NULL)",
    )
    .bind(NoticeId::new(tx.ids.as_ref()).as_str())
    .bind(notice.workspace.as_str())
    .bind(notice.request.as_ref().map(RequestId::as_str))
    .bind(notice.run.as_ref().map(RunId::as_str))
    .bind(&notice.kind)
    .bind(notice.body.to_string())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Owes a message that has an audience.
pub(super) async fn insert(
    tx: &mut Tx,
    notice: &NewNotice,
    audience: &str,
    from: Timestamp,
) -> Result<NoticeId, StoreError> {
    let id = NoticeId::new(tx.ids.as_ref());
    sqlx::query(
        "INSERT INTO notices (id, workspace, request_id, run_id, kind, body, state, epoch, attempts,
                              retry_at, created_at, audience)
         VALUES ($1, $2, $3, $4, $5, $6, 'owed', 0, 0, $7, $8, $9)",
    )
    .bind(id.as_str())
    .bind(notice.workspace.as_str())
    .bind(notice.request.as_ref().map(RequestId::as_str))
    .bind(notice.run.as_ref().map(RunId::as_str))
    .bind(&notice.kind)
    .bind(notice.body.to_string())
    .bind(from.as_millis())
    .bind(tx.now.as_millis())
    .bind(audience)
    .execute(&mut tx.conn)
    .await?;
    Ok(id)
}
