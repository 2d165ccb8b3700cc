//! What became of a card's post or update.

use super::owe::refresh_status;
use crate::approval::Event;
use crate::base::{CardId, RequestId, Span, Timestamp, WorkspaceId};
use crate::store::runs::fenced;
use crate::store::transition::transition;
use crate::store::{ShownAt, Store, StoreError, Tx, big, count, requests, text};

/// What people see now.
#[derive(Clone, Debug)]
pub struct Shown {
    /// As it was in [`OwedCard::version`].
    pub version: u64,
    pub at: ShownAt,
    /// Of exactly what was sent.
    pub hash: String,
    /// Every byte of the action can be seen, on the card or behind *Show all*.
    pub complete: bool,
    /// The request whose requester may have been told that its approvers do not see it.
    pub at_last: Option<RequestId>,
}

/// A card is to be posted as if it never had been, and keeps what is said of its hash.
macro_rules! anew {
    ($hash:literal) => {
        concat!(
            "UPDATE cards SET channel = NULL, message_ts = NULL, shown_version = 0, ",
            $hash,
            ", intent_at = NULL, retry_at = $3, error = $4, owner = NULL, lease_until = NULL
             WHERE id = $1 AND epoch = $2"
        )
    };
}

impl Store {
    /// A post is about to be sent later than its claim said, or once more: it is held for another
    /// `lease`, and whatever began first stays what is looked for.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody else has it by now.
    pub async fn card_begins(
        &self,
        card: &CardId,
        epoch: u64,
        lease: Span,
    ) -> Result<(), StoreError> {
        let statement = "UPDATE cards SET intent_at = COALESCE(intent_at, $3), lease_until = $4
             WHERE id = $1 AND epoch = $2";
        self.begin_late(statement, card.as_str(), epoch, lease).await
    }

    /// Slack shows it. The answer is the version that it should show by now.
    pub async fn card_shown(
        &self,
        card: &CardId,
        epoch: u64,
        shown: Shown,
    ) -> Result<u64, StoreError> {
        let card = card.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let wanted: Option<i64> = sqlx::query_scalar(
                    "UPDATE cards SET shown_version = $3, channel = $4, message_ts = $5,
                            shown_hash = $6, complete = $7, shown_blocks = NULL, intent_at = NULL,
                            owner = NULL, lease_until = NULL, attempts = 0, error = NULL
                     WHERE id = $1 AND epoch = $2 RETURNING want_version",
                )
                .bind(card.as_str())
                .bind(big(epoch))
                .bind(big(shown.version))
                .bind(shown.at.channel)
                .bind(shown.at.message_ts)
                .bind(shown.hash)
                .bind(i64::from(shown.complete))
                .fetch_optional(&mut tx.conn)
                .await?;
                let wanted = count("card version", wanted.ok_or(StoreError::Fenced)?)?;
                if let Some(request) = shown.at_last {
                    refresh_status(tx, &request).await?;
                }
                Ok(wanted)
            })
        })
        .await
    }

    /// An earlier post turned out to have got through. What it shows is the state of back then, so
    /// the card stays owed, as an update from now on.
    pub async fn card_found(
        &self,
        card: &CardId,
        epoch: u64,
        at: ShownAt,
        at_last: Option<RequestId>,
    ) -> Result<(), StoreError> {
        let card = card.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let written = sqlx::query(
                    "UPDATE cards SET channel = $3, message_ts = $4, intent_at = NULL,
                            owner = NULL, lease_until = NULL, attempts = 0, error = NULL
                     WHERE id = $1 AND epoch = $2",
                )
                .bind(card.as_str())
                .bind(big(epoch))
                .bind(at.channel)
                .bind(at.message_ts)
                .execute(&mut tx.conn)
                .await?;
                fenced(&written)?;
                match at_last {
                    Some(request) => refresh_status(tx, &request).await,
                    None => Ok(()),
                }
            })
        })
        .await
    }

    /// Nobody knows whether the post got through; it is looked up from `retry_at`.
    pub async fn card_unsure(
        &self,
        card: &CardId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let statement = "UPDATE cards SET retry_at = $3, error = $4, attempts = attempts + 1,
                                owner = NULL, lease_until = NULL
                         WHERE id = $1 AND epoch = $2";
        self.settle_delivery(statement, card.as_str(), epoch, Some(retry_at), Some(error)).await
    }

    /// It certainly did not get through; it is tried again from `retry_at`.
    pub async fn card_retry(
        &self,
        card: &CardId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let statement = "UPDATE cards SET retry_at = $3, error = $4, attempts = attempts + 1,
                                intent_at = NULL, owner = NULL, lease_until = NULL
                         WHERE id = $1 AND epoch = $2";
        self.settle_delivery(statement, card.as_str(), epoch, Some(retry_at), Some(error)).await
    }

    /// Slack no longer has the message: it is posted anew.
    pub async fn card_lost(&self, card: &CardId, epoch: u64) -> Result<(), StoreError> {
        let statement = anew!("shown_hash = NULL");
        self.settle_delivery(statement, card.as_str(), epoch, None, None).await
    }

    /// Slack has the message and lets nobody change it: another one takes its place, also when the
    /// request has ended, since people have seen the first. Its buttons count as those of a copy.
    pub async fn card_left_behind(&self, card: &CardId, epoch: u64) -> Result<(), StoreError> {
        let statement = anew!("shown_hash = shown_hash");
        self.settle_delivery(statement, card.as_str(), epoch, None, None).await
    }

    /// Its approvers do not see a request in time: the line in its thread says so.
    pub async fn not_seen(&self, request: &RequestId) -> Result<(), StoreError> {
        let request = request.clone();
        self.write(move |tx| Box::pin(async move { refresh_status(tx, &request).await })).await
    }

    /// Somebody who had lost the card changed its message all the same, perhaps back to an older
    /// state: it is shown again.
    pub async fn card_overwritten(&self, card: &CardId) -> Result<(), StoreError> {
        let card = card.clone();
        self.write(move |tx| {
            Box::pin(async move {
                sqlx::query(
                    "UPDATE cards SET want_version = want_version + 1, shown_hash = NULL
                     WHERE id = $1 AND state = 'open'",
                )
                .bind(card.as_str())
                .execute(&mut tx.conn)
                .await?;
                Ok(())
            })
        })
        .await
    }

    /// It can never be shown there, or not any more: a channel that is archived takes no press
    /// either. When it was the card of the stage that is asked, the next one is.
    pub async fn card_dead(
        &self,
        card: &CardId,
        epoch: u64,
        error: &str,
    ) -> Result<(), StoreError> {
        let (card, error) = (card.clone(), text(error));
        self.write(move |tx| Box::pin(async move { dead(tx, &card, epoch, &error).await })).await
    }
}

/// A card, or where it should be, cannot be read. It must not keep the others from being shown.
pub(super) async fn bury(tx: &mut Tx, card: &str, error: &StoreError) -> Result<(), StoreError> {
    tracing::error!(card, %error, "a card cannot be read and is given up");
    let why = text(&error.to_string());
    let card: Stood = sqlx::query_as(
        "UPDATE cards SET state = 'dead', error = $2, owner = NULL, lease_until = NULL
         WHERE id = $1 RETURNING workspace, request_id, stage",
    )
    .bind(card)
    .bind(&why)
    .fetch_one(&mut tx.conn)
    .await?;
    ask_the_next(tx, card, &why).await
}

/// Workspace, request and stage of a card.
type Stood = (String, String, Option<i64>);

async fn dead(tx: &mut Tx, card: &CardId, epoch: u64, error: &str) -> Result<(), StoreError> {
    let card: Option<Stood> = sqlx::query_as(
        "UPDATE cards SET state = 'dead', error = $3, owner = NULL, lease_until = NULL
         WHERE id = $1 AND epoch = $2 RETURNING workspace, request_id, stage",
    )
    .bind(card.as_str())
    .bind(big(epoch))
    .bind(error)
    .fetch_optional(&mut tx.conn)
    .await?;
    ask_the_next(tx, card.ok_or(StoreError::Fenced)?, error).await
}

async fn ask_the_next(tx: &mut Tx, card: Stood, why: &str) -> Result<(), StoreError> {
    let (workspace, request, Some(stage)) = card else { return Ok(()) };
    let (workspace, request) = (WorkspaceId::existing(workspace), RequestId::existing(request));
    match undeliverable(tx, &workspace, &request, count("stage", stage)?, why).await {
        // Its request is damaged as well, which `verify` tells.
        Err(StoreError::Damaged { .. } | StoreError::NotFound(_)) => Ok(()),
        asked => asked,
    }
}

async fn undeliverable(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    request: &RequestId,
    stage: usize,
    why: &str,
) -> Result<(), StoreError> {
    let loaded = requests::load(&mut tx.conn, request)
        .await?
        .filter(|loaded| loaded.request.workspace == *workspace)
        .ok_or(StoreError::NotFound("request"))?;
    let evidence = serde_json::json!({ "why": why });
    if let Err(refusal) = transition(tx, &loaded, &Event::Undeliverable { stage }, evidence).await?
    {
        tracing::debug!(%request, %refusal, "a card that nobody needs any more was given up");
        return Ok(());
    }
    sqlx::query("UPDATE requests SET undeliverable = $2 WHERE id = $1")
        .bind(request.as_str())
        .bind(why)
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}
