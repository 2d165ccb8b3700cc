//! The one place where effects of the core become rows.

use serde_json::json;

use super::answers::{self, Asking};
use super::cards::Viewer;
use super::notices::{self, NewNotice};
use super::rows::json;
use super::runs::conversation;
use super::{StoreError, Tx, cards, digests, executions};
use crate::approval::{Effect, Notice, Outcome, Request, Sealed, TimerKind};
use crate::base::Timestamp;

/// What the effects are about.
pub(super) struct Subject<'a> {
    /// In its new state.
    pub(super) request: &'a Request,
    pub(super) sealed: &'a Sealed,
    /// The run that waits for it, if one does.
    pub(super) asking: Option<&'a Asking>,
    /// Who looks at its cards now.
    pub(super) viewer: Viewer,
}

/// Writes every effect, in order, in the transaction that writes the request's new state.
pub(super) async fn apply(
    tx: &mut Tx,
    subject: &Subject<'_>,
    effects: Vec<Effect>,
) -> Result<(), StoreError> {
    let request = subject.request;
    for effect in effects {
        match effect {
            Effect::SetTimer { kind, due } => set_timer(tx, request, kind, due).await?,
            Effect::ClearTimers => clear_timers(tx, request).await?,
            Effect::ShowCard { stage, place } => cards::owe(tx, request, stage, &place).await?,
            Effect::ShowStatus => {
                if let Some(asking) = subject.asking {
                    cards::owe_status(tx, request, &asking.run).await?;
                }
            }
            Effect::RefreshCards => cards::refresh(tx, &request.id, subject.viewer).await?,
            Effect::Notify(notice) => tell(tx, subject, &notice).await?,
            Effect::OrderExecution { start_by } => {
                let request = Some(&request.id);
                executions::order(tx, subject.sealed, request, subject.asking, start_by).await?;
            }
            Effect::AnswerRun(decision) => {
                if let Some(asking) = subject.asking {
                    answers::answer(tx, asking, &answers::refused(&decision)).await?;
                }
            }
        }
    }
    Ok(())
}

pub(super) async fn set_timer(
    tx: &mut Tx,
    request: &Request,
    kind: TimerKind,
    due: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO timers (id, workspace, request_id, kind, due_at) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(format!("tmr_{}", tx.ids.unique()))
    .bind(request.workspace.as_str())
    .bind(request.id.as_str())
    .bind(json(&kind)?)
    .bind(due.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

async fn clear_timers(tx: &mut Tx, request: &Request) -> Result<(), StoreError> {
    sqlx::query("UPDATE timers SET done_at = $2 WHERE request_id = $1 AND done_at IS NULL")
        .bind(request.id.as_str())
        .bind(tx.now.as_millis())
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

/// Owes one of the core's own notices.
async fn tell(tx: &mut Tx, subject: &Subject<'_>, notice: &Notice) -> Result<(), StoreError> {
    let kind = match notice {
        Notice::Reminder { .. } => "reminder",
        Notice::Escalated { .. } => "escalated",
        Notice::Decided => "decided",
        Notice::Undeliverable { .. } => "undeliverable",
    };
    let audience = audience(tx, subject, notice).await?;
    let notice = NewNotice {
        workspace: subject.request.workspace.clone(),
        request: Some(subject.request.id.clone()),
        run: subject.asking.map(|asking| asking.run.clone()),
        kind: kind.to_owned(),
        body: json!(notice),
    };
    if let Some(audience) = audience {
        return digests::tell(tx, &notice, &audience).await;
    }
    notices::owe(tx, &notice).await?;
    Ok(())
}

/// Who hears what time brings about, and may hear of many requests at once; nobody for anything else.
async fn audience(
    tx: &mut Tx,
    subject: &Subject<'_>,
    notice: &Notice,
) -> Result<Option<String>, StoreError> {
    let request = subject.request;
    match notice {
        Notice::Reminder { stage, .. } | Notice::Escalated { stage } => {
            Ok(request.terms.path.get(*stage).map(|stage| stage.place.0.clone()))
        }
        Notice::Decided => {
            let expired =
                request.decision.as_ref().is_some_and(|it| it.outcome == Outcome::Expired);
            match subject.asking.filter(|_| expired) {
                Some(asking) => {
                    Ok(conversation(tx, &asking.run).await?.map(|(channel, _)| channel))
                }
                None => Ok(None),
            }
        }
        Notice::Undeliverable { .. } => Ok(None),
    }
}
