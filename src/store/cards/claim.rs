//! Which cards must be posted or updated, with all that rendering them takes.

use super::{CardButtons, CardKind};
use crate::approval::Place;
use crate::base::{CardId, RequestId, Span, Timestamp, WorkspaceId};
use crate::store::buttons::{choice_of, shown_at};
use crate::store::requests::stored;
use crate::store::{ButtonChoice, ShownAt, StoreError, StoredRequest, Tx, big, count, instant};

/// A card that does not show yet what it should, held until the lease ends.
#[derive(Clone, Debug)]
pub struct OwedCard {
    pub id: CardId,
    pub workspace: WorkspaceId,
    pub kind: CardKind,
    pub buttons: CardButtons,
    /// The message to update; absent until it was posted.
    pub shown_at: Option<ShownAt>,
    /// When the last post was begun, if nobody knows how it ended: look for it in the channel
    /// before posting again.
    pub unsure_since: Option<Timestamp>,
    /// Of what is shown now, in hex.
    pub shown_hash: Option<String>,
    /// The version of the request that `stored` is.
    pub version: u64,
    pub stored: StoredRequest,
    pub epoch: u64,
    /// How often it was tried in vain.
    pub attempts: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    workspace: String,
    request_id: String,
    kind: String,
    stage: Option<i64>,
    place: String,
    thread_ts: Option<String>,
    channel: Option<String>,
    message_ts: Option<String>,
    want_version: i64,
    shown_hash: Option<String>,
    intent_at: Option<i64>,
    epoch: i64,
    attempts: i64,
}

/// Takes at most `limit` cards that must be posted or updated.
pub(in crate::store) async fn claim(
    tx: &mut Tx,
    owner: &str,
    lease: Span,
    limit: usize,
) -> Result<Vec<OwedCard>, StoreError> {
    let due: Vec<Row> = sqlx::query_as(
        "SELECT id, workspace, request_id, kind, stage, place, thread_ts, channel, message_ts,
                want_version, shown_hash, intent_at, epoch, attempts
         FROM cards
         WHERE state = 'open' AND shown_version < want_version AND retry_at <= $1
           AND (lease_until IS NULL OR lease_until <= $1)
         ORDER BY retry_at, id LIMIT $2",
    )
    .bind(tx.now.as_millis())
    .bind(big(limit))
    .fetch_all(&mut tx.conn)
    .await?;
    let mut owed = Vec::with_capacity(due.len());
    for row in due {
        sqlx::query(
            "UPDATE cards SET owner = $2, lease_until = $3, epoch = epoch + 1 WHERE id = $1",
        )
        .bind(&row.id)
        .bind(owner)
        .bind(tx.now.plus(lease).as_millis())
        .execute(&mut tx.conn)
        .await?;
        let card = row.id.clone();
        match owed_card(tx, row).await {
            Ok(card) => owed.push(card),
            Err(error) => bury(tx, &card, &error).await?,
        }
    }
    Ok(owed)
}

async fn owed_card(tx: &mut Tx, row: Row) -> Result<OwedCard, StoreError> {
    let workspace = WorkspaceId::existing(row.workspace);
    let request = RequestId::existing(row.request_id);
    let stored = stored(&mut tx.conn, &workspace, &request).await?;
    let kind = match (row.stage, row.thread_ts) {
        (Some(stage), _) if row.kind == "stage" => {
            CardKind::Stage { stage: count("stage", stage)?, place: Place(row.place) }
        }
        (None, Some(thread_ts)) if row.kind == "status" => {
            CardKind::Status { channel: row.place, thread_ts }
        }
        (stage, _) => {
            let why = format!("`{}` with stage {stage:?} is no kind", row.kind);
            return Err(StoreError::damaged("card", why));
        }
    };
    let shown_at = shown_at(row.channel, row.message_ts);
    Ok(OwedCard {
        buttons: tokens(tx, &row.id).await?,
        unsure_since: row.intent_at.map(instant).filter(|_| shown_at.is_none()),
        id: CardId::existing(row.id),
        workspace,
        kind,
        shown_at,
        shown_hash: row.shown_hash,
        version: count("card version", row.want_version)?,
        stored: stored.ok_or(StoreError::NotFound("request"))?,
        epoch: count::<u64>("epoch", row.epoch)? + 1,
        attempts: count("attempts", row.attempts)?,
    })
}

async fn tokens(tx: &mut Tx, card: &str) -> Result<CardButtons, StoreError> {
    let tokens: Vec<(String, String)> =
        sqlx::query_as("SELECT choice, token FROM buttons WHERE card_id = $1")
            .bind(card)
            .fetch_all(&mut tx.conn)
            .await?;
    let mut buttons = CardButtons::default();
    for (choice, token) in tokens {
        let button = match choice_of(&choice)? {
            ButtonChoice::Approve => &mut buttons.approve,
            ButtonChoice::Reject => &mut buttons.reject,
            ButtonChoice::ShowAll => &mut buttons.show_all,
            ButtonChoice::Withdraw => &mut buttons.withdraw,
        };
        *button = Some(token);
    }
    Ok(buttons)
}

/// A card that cannot be read must not keep the others from being shown.
async fn bury(tx: &mut Tx, card: &str, error: &StoreError) -> Result<(), StoreError> {
    tracing::error!(card, %error, "a card cannot be read and is given up");
    sqlx::query("UPDATE cards SET state = 'dead', error = $2 WHERE id = $1")
        .bind(card)
        .bind(error.to_string())
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}
