//! Which cards must be posted or updated.

use super::CardKind;
use super::settle::bury;
use crate::approval::Place;
use crate::base::{CardId, RequestId, Span, Timestamp, WorkspaceId};
use crate::store::buttons::shown_at;
use crate::store::{ShownAt, StoreError, Tx, big, count, instant};

/// A card that does not show yet what it should, held until the lease ends.
#[derive(Clone, Debug)]
pub struct OwedCard {
    pub id: CardId,
    pub workspace: WorkspaceId,
    pub request: RequestId,
    pub kind: CardKind,
    /// The message to update; absent until it was posted.
    pub shown_at: Option<ShownAt>,
    /// When the last post was begun, if nobody knows how it ended: look for it in the channel
    /// before posting again.
    pub unsure_since: Option<Timestamp>,
    /// Of what is shown now, in hex; or of what was shown where it had to be left behind.
    pub shown_hash: Option<String>,
    /// Whether its request waited for a decision when it was claimed.
    pub pending: bool,
    /// What is read of the request after the claim is this version or a later one.
    pub version: u64,
    pub epoch: u64,
    /// How often it was tried in vain.
    pub attempts: u64,
}

impl OwedCard {
    /// Whether certainly nobody has seen it, wherever it may have stood.
    pub fn was_never_shown(&self) -> bool {
        self.shown_at.is_none() && self.unsure_since.is_none() && self.shown_hash.is_none()
    }
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
    due_by: i64,
    outcome: Option<String>,
}

macro_rules! take {
    ($which:literal) => {
        concat!(
            "UPDATE cards SET owner = $3, lease_until = $4, epoch = epoch + 1,
                    intent_at = CASE WHEN message_ts IS NULL THEN COALESCE(intent_at, $1) END
             WHERE id IN (
               SELECT id FROM cards
               WHERE state = 'open' AND shown_version < want_version AND ", $which, "
                 AND retry_at <= $1 AND (lease_until IS NULL OR lease_until <= $1)
                 AND ($5 = 1 OR NOT EXISTS (
                   SELECT 1 FROM cards AS waiting
                   WHERE state = 'open' AND shown_version < want_version AND ", $which, "
                     AND retry_at > $1))
               ORDER BY due_by, id LIMIT $2)
             RETURNING id, workspace, request_id, kind, stage, place, thread_ts, channel,
                       message_ts, want_version, shown_hash, intent_at, epoch, attempts, due_by,
                       (SELECT outcome FROM requests WHERE requests.id = request_id) AS outcome"
        )
    };
}

const TO_POST: &str = take!("message_ts IS NULL AND place = $6");
const TO_UPDATE: &str = take!("message_ts IS NOT NULL AND CAST($6 AS TEXT) IS NULL");

/// How many cards Slack would take now: updates at all, and posts in each place where some are owed.
/// What is beyond that stays where it is, however much it is.
#[derive(Debug)]
pub(in crate::store) struct Room {
    pub(in crate::store) updates: usize,
    pub(in crate::store) posts: Vec<(String, usize)>,
}

/// The places in which cards are to be posted: names of the configuration, or Slack's ids. Where a
/// digest is due it comes first, since it tells of the cards.
pub(in crate::store) async fn places_to_post(tx: &mut Tx) -> Result<Vec<String>, StoreError> {
    // One step in an index for each place, however many cards there are.
    let places = sqlx::query_scalar(
        "WITH RECURSIVE places (place) AS (
               SELECT MIN(place) FROM cards
                WHERE state = 'open' AND shown_version < want_version AND message_ts IS NULL
               UNION ALL
               SELECT (SELECT MIN(cards.place) FROM cards
                        WHERE state = 'open' AND shown_version < want_version
                          AND message_ts IS NULL AND cards.place > places.place)
               FROM places WHERE places.place IS NOT NULL)
             SELECT place FROM places WHERE place IS NOT NULL AND place NOT IN (
               SELECT audience FROM notices WHERE state = 'owed' AND kind = 'digest'
                 AND audience IS NOT NULL AND retry_at <= $1 AND lease_until IS NULL)",
    )
    .bind(tx.now.as_millis())
    .fetch_all(&mut tx.conn)
    .await?;
    Ok(places)
}

/// Takes at most `limit` cards that must be posted or updated and that there is room for, the most
/// urgent first, beginning with the `first` of the places; behind them come updates. Where there is
/// no room, one is taken if none waits already: it is told when to come again. What to show is read
/// by whoever shows it: the writer has other things to do. Of those that are posted it says that the
/// post begins: until `card_shown` nobody knows whether it was.
pub(in crate::store) async fn claim(
    tx: &mut Tx,
    owner: &str,
    lease: Span,
    limit: usize,
    room: &Room,
    first: usize,
) -> Result<Vec<OwedCard>, StoreError> {
    if limit == 0 {
        return Ok(Vec::new());
    }
    // No place takes the room of all others.
    let share = (limit / (room.posts.len() + 1)).max(1);
    let posts = room.posts.iter().map(|(place, room)| (TO_POST, Some(place.as_str()), *room));
    let mut due: Vec<Row> = Vec::new();
    let mut kinds: Vec<_> = posts.chain([(TO_UPDATE, None, room.updates)]).collect();
    kinds.rotate_left(first);
    for (statement, place, room) in kinds {
        let most = room.min(share).min(limit - due.len());
        let taken: Vec<Row> = sqlx::query_as(statement)
            .bind(tx.now.as_millis())
            .bind(big(most.max(1)))
            .bind(owner)
            .bind(tx.now.plus(lease).as_millis())
            .bind(i64::from(most > 0))
            .bind(place)
            .fetch_all(&mut tx.conn)
            .await?;
        due.extend(taken);
        if due.len() >= limit {
            break;
        }
    }
    due.sort_by(|one, other| (one.due_by, &one.id).cmp(&(other.due_by, &other.id)));
    let mut owed = Vec::with_capacity(due.len());
    for row in due {
        let card = row.id.clone();
        match owed_card(row, tx.now) {
            Ok(card) => owed.push(card),
            Err(error) => bury(tx, &card, &error).await?,
        }
    }
    Ok(owed)
}

fn owed_card(row: Row, now: Timestamp) -> Result<OwedCard, StoreError> {
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
        // A post that begins now is no earlier one.
        unsure_since: row.intent_at.map(instant).filter(|begun| *begun < now),
        id: CardId::existing(row.id),
        workspace: WorkspaceId::existing(row.workspace),
        request: RequestId::existing(row.request_id),
        kind,
        shown_at,
        shown_hash: row.shown_hash,
        pending: row.outcome.is_none(),
        version: count("card version", row.want_version)?,
        epoch: count("epoch", row.epoch)?,
        attempts: count("attempts", row.attempts)?,
    })
}
