//! Digests: what many would be told one by one, they are told together.
//!
//! A reminder, an escalation or an expiry only tells: whoever is to decide has the card, and whoever
//! asked has its line in their thread. A handful a minute are messages of their own. Whatever comes
//! beyond that for the same people is gathered, in the transaction that would owe it, into a digest: a
//! notice like any other, which waits a moment for what comes with the first, and whose words are found
//! when it is sent. So a storm of ten thousand is a message every half minute, and none is forgotten.

use super::notices::{NewNotice, insert};
use super::rows::{big, count, instant};
use super::{Store, StoreError, Tx};
use crate::base::{NoticeId, Span, Timestamp, WorkspaceId};

/// What a notice is called that tells what others would.
pub(super) const DIGEST: &str = "digest";

/// How many messages one audience gets singly within [`LATELY`].
const HANDFUL: usize = 5;
const LATELY: Span = Span::seconds(60);
/// How long a digest waits for more: ten thousand timers that are due together take about as long.
const GATHERING: Span = Span::seconds(5);
/// Between two digests for one audience.
const BETWEEN: Span = Span::seconds(30);

/// What a digest has to tell at the moment when it is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gathered {
    /// Requests that are pending and came from an earlier stage.
    pub escalated: u64,
    /// Requests that are pending and were to be reminded of.
    pub reminded: u64,
    /// Requests that nobody decided in time.
    pub expired: u64,
    /// When the oldest was asked of those that are pending.
    pub oldest: Option<Timestamp>,
}

/// Owes a message that only tells: singly, or as part of a digest when its audience has lately been
/// told a handful of things.
pub(super) async fn tell(
    tx: &mut Tx,
    notice: &NewNotice,
    audience: &str,
) -> Result<(), StoreError> {
    let told: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM (SELECT 1 FROM notices
           WHERE workspace = $1 AND audience = $2 AND created_at > $3 LIMIT $4) AS lately",
    )
    .bind(notice.workspace.as_str())
    .bind(audience)
    .bind(tx.now.as_millis() - LATELY.as_millis())
    .bind(big(HANDFUL))
    .fetch_one(&mut tx.conn)
    .await?;
    let id = insert(tx, notice, audience, tx.now).await?;
    if told < big(HANDFUL) {
        return Ok(());
    }
    let digest = open_digest(tx, &notice.workspace, audience).await?;
    sqlx::query("UPDATE notices SET state = 'gathered', digest = $2 WHERE id = $1")
        .bind(id.as_str())
        .bind(digest.as_str())
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

/// The digest of an audience that nobody has begun to send; a new one when there is none.
async fn open_digest(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    audience: &str,
) -> Result<NoticeId, StoreError> {
    let newest: Option<(String, String, Option<i64>, i64)> = sqlx::query_as(
        "SELECT id, state, intent_at, retry_at FROM notices
         WHERE workspace = $1 AND audience = $2 AND kind = 'digest'
         ORDER BY created_at DESC, id DESC LIMIT 1",
    )
    .bind(workspace.as_str())
    .bind(audience)
    .fetch_optional(&mut tx.conn)
    .await?;
    let last = match newest {
        Some((id, state, None, _)) if state == "owed" => return Ok(NoticeId::existing(id)),
        Some((_, _, _, sent_at)) => instant(sent_at),
        None => Timestamp::default(),
    };
    let notice = NewNotice {
        workspace: workspace.clone(),
        request: None,
        run: None,
        kind: DIGEST.to_owned(),
        body: serde_json::json!({}),
    };
    let from = tx.now.plus(GATHERING).max(last.plus(BETWEEN));
    let digest = insert(tx, &notice, audience, from).await?;
    // Of the handful before, those that nobody has taken to send.
    sqlx::query(
        "UPDATE notices SET state = 'gathered', digest = $4
         WHERE workspace = $1 AND audience = $2 AND created_at > $3
           AND state = 'owed' AND kind <> 'digest' AND epoch = 0",
    )
    .bind(workspace.as_str())
    .bind(audience)
    .bind(tx.now.as_millis() - LATELY.as_millis())
    .bind(digest.as_str())
    .execute(&mut tx.conn)
    .await?;
    Ok(digest)
}

impl Store {
    /// What a digest has to tell by now.
    pub async fn gathered(&self, digest: &NoticeId) -> Result<Gathered, StoreError> {
        let kinds: Vec<(String, i64, i64)> = sqlx::query_as(
            "SELECT notices.kind, COUNT(DISTINCT requests.id), MIN(asked_at)
             FROM notices JOIN requests ON requests.id = notices.request_id
             WHERE notices.digest = $1 AND (notices.kind = 'decided' OR outcome IS NULL)
             GROUP BY notices.kind",
        )
        .bind(digest.as_str())
        .fetch_all(&mut self.reader().await?)
        .await?;
        let mut gathered = Gathered::default();
        for (kind, number, oldest) in kinds {
            let number = count("number of requests", number)?;
            match kind.as_str() {
                "escalated" => gathered.escalated = number,
                "reminder" => gathered.reminded = number,
                "decided" => gathered.expired = number,
                other => return Err(StoreError::damaged("digest", format!("it tells {other}"))),
            }
            if kind != "decided" {
                let oldest = instant(oldest);
                gathered.oldest = Some(gathered.oldest.map_or(oldest, |known| known.min(oldest)));
            }
        }
        Ok(gathered)
    }
}
