//! How a card comes to be owed.

use super::CardKind;
use crate::approval::{Place, Request};
use crate::base::{CardId, RequestId, RunId, Span, Timestamp};
use crate::store::runs::conversation;
use crate::store::{ButtonChoice, StoreError, Tx, big};

/// Owes the card of a stage, once.
pub(in crate::store) async fn owe(
    tx: &mut Tx,
    request: &Request,
    stage: usize,
    place: &Place,
) -> Result<(), StoreError> {
    let kind = CardKind::Stage { stage, place: place.clone() };
    let buttons = [ButtonChoice::Approve, ButtonChoice::Reject, ButtonChoice::ShowAll];
    insert(tx, request, &kind, &buttons, request.stage_ends(stage)).await
}

/// Owes the live line in the requester's thread, once. A caller of the API has none: it hears the
/// same from the run's events.
pub(in crate::store) async fn owe_status(
    tx: &mut Tx,
    request: &Request,
    run: &RunId,
) -> Result<(), StoreError> {
    let Some((channel, thread_ts)) = conversation(tx, run).await? else {
        return Ok(());
    };
    let kind = CardKind::Status { channel, thread_ts };
    let choices = [ButtonChoice::ShowAll, ButtonChoice::Withdraw];
    insert(tx, request, &kind, &choices, tx.now).await
}

async fn insert(
    tx: &mut Tx,
    request: &Request,
    kind: &CardKind,
    choices: &[ButtonChoice],
    due_by: Timestamp,
) -> Result<(), StoreError> {
    let (name, stage, place, thread_ts) = match kind {
        CardKind::Stage { stage, place } => ("stage", Some(big(*stage)), &place.0, None),
        CardKind::Status { channel, thread_ts } => ("status", None, channel, Some(thread_ts)),
    };
    let card = CardId::new(tx.ids.as_ref());
    sqlx::query(
        "INSERT INTO cards (id, workspace, request_id, kind, stage, place, thread_ts, want_version,
                            shown_version, complete, state, epoch, attempts, retry_at, due_by)
         VALUES ($1, $2, $3, $4, $5, $6, $7, 1, 0, 0, 'open', 0, 0, $8, $9)",
    )
    .bind(card.as_str())
    .bind(request.workspace.as_str())
    .bind(request.id.as_str())
    .bind(name)
    .bind(stage)
    .bind(place)
    .bind(thread_ts)
    .bind(tx.now.as_millis())
    .bind(due_by.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let mut tokens = choices.iter().map(|choice| (tx.ids.token(), choice.text()));
    let [first, second, third] = std::array::from_fn(|_| tokens.next().unzip());
    sqlx::query(
        "INSERT INTO buttons (token, workspace, request_id, card_id, choice)
         SELECT column1, $1, $2, $3, column2 FROM (VALUES ($4, $5), ($6, $7), ($8, $9)) AS made
         WHERE column1 IS NOT NULL",
    )
    .bind(request.workspace.as_str())
    .bind(request.id.as_str())
    .bind(card.as_str())
    .bind(first.0)
    .bind(first.1)
    .bind(second.0)
    .bind(second.1)
    .bind(third.0)
    .bind(third.1)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Who looks at a request's cards when they change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Viewer {
    /// Somebody has just pressed, or waits for what comes of it.
    Somebody,
    /// Time did it.
    Nobody,
}

/// For how long a card may be old that nobody has reason to look at. Slack takes fifty updates a
/// minute, and those that people wait for come first.
const UNSEEN: Span = Span::minutes(60);

/// Every card of the request must look different now. One that is owed already becomes no less urgent.
pub(in crate::store) async fn refresh(
    tx: &mut Tx,
    request: &RequestId,
    viewer: Viewer,
) -> Result<(), StoreError> {
    let due_by = match viewer {
        Viewer::Somebody => tx.now,
        Viewer::Nobody => tx.now.plus(UNSEEN),
    };
    sqlx::query(
        "UPDATE cards SET want_version = want_version + 1, due_by = CASE
           WHEN shown_version < want_version AND due_by < $2 THEN due_by ELSE $2 END
         WHERE request_id = $1",
    )
    .bind(request.as_str())
    .bind(due_by.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// The line in the requester's thread must look different now: it tells whether approvers see it.
pub(in crate::store) async fn refresh_status(
    tx: &mut Tx,
    request: &RequestId,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE cards SET want_version = want_version + 1, due_by = CASE
           WHEN shown_version < want_version AND due_by < $2 THEN due_by ELSE $2 END
         WHERE request_id = $1 AND kind = 'status' AND state = 'open'",
    )
    .bind(request.as_str())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
