//! People decide: votes, withdrawals, the operator's cancel. Refusals are recorded as well.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::buttons::{self, Button};
use super::requests::{self, Loaded};
use super::rows::{from_json, json};
use super::transition::transition;
use super::{ButtonChoice, ShownAt, Store, StoreError, Tx, intake};
use crate::approval::{self, Choice, Decision, Event, Membership, PersonFacts, Refusal, Request};
use crate::audit::{self, Entry};
use crate::base::failpoint::{self, Point};
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
        self.write(move |tx| Box::pin(async move { decide(tx, click).await })).await
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
        let (workspace, request, key) = (workspace.clone(), request.clone(), key.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let content = intake::content_hash(&("withdraw", &request, &person.person))?;
                if let Some(verdict) = answered(tx, &workspace, &key, &content).await? {
                    return Ok(verdict);
                }
                let loaded = load(tx, &workspace, &request).await?;
                let result = withdraw(tx, &loaded, &person, evidence.clone()).await?;
                let record = Refused { choice: "withdraw", person: &person, evidence: &evidence };
                settle(tx, &loaded.request, &key, &content, result, record).await
            })
        })
        .await
    }

    /// The operator ends a request on the command line.
    pub async fn cancel(
        &self,
        workspace: &WorkspaceId,
        request: &RequestId,
        operator: &str,
        reason: &str,
    ) -> Result<Result<Decision, Refusal>, StoreError> {
        let (workspace, request) = (workspace.clone(), request.clone());
        let event = Event::Cancel { operator: operator.to_owned(), reason: reason.to_owned() };
        self.write(move |tx| {
            Box::pin(async move {
                let loaded = load(tx, &workspace, &request).await?;
                match transition(tx, &loaded, &event, Value::Null).await? {
                    Ok(Request { decision: Some(decision), .. }) => Ok(Ok(decision)),
                    Ok(_) => Err(StoreError::damaged("request", "cancelled and still pending")),
                    Err(refusal) => Ok(Err(refusal)),
                }
            })
        })
        .await
    }
}

async fn load(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    request: &RequestId,
) -> Result<Loaded, StoreError> {
    requests::load(&mut tx.conn, request)
        .await?
        .filter(|loaded| loaded.request.workspace == *workspace)
        .ok_or(StoreError::NotFound("request"))
}

async fn decide(tx: &mut Tx, click: Click) -> Result<Verdict, StoreError> {
    let click = Click { received_at: tx.happened_at(click.received_at), ..click };
    let content =
        intake::content_hash(&(&click.token, click.choice, &click.person.user, &click.reason))?;
    if let Some(verdict) = answered(tx, &click.workspace, &click.intake_key, &content).await? {
        return Ok(verdict);
    }
    let button = buttons::button(&mut tx.conn, &click.workspace, &click.token).await?;
    let button = button.ok_or(StoreError::NotFound("button"))?;
    let loaded = load(tx, &click.workspace, &button.request).await?;
    let seen = seen(tx, &button).await?;
    let evidence = json!({
        "delivery": click.intake_key, "received_at": click.received_at, "click": click.evidence,
        "card": button.card, "shown": seen.shown_hash, "shown_version": seen.shown_version,
        "membership": click.membership.0,
    });
    let result = vote(tx, &loaded, &click, &button, &seen, evidence.clone()).await?;
    let choice = match click.choice {
        Choice::Approve => "approve",
        Choice::Reject => "reject",
    };
    let record = Refused { choice, person: &click.person, evidence: &evidence };
    settle(tx, &loaded.request, &click.intake_key, &content, result, record).await
}

async fn vote(
    tx: &mut Tx,
    loaded: &Loaded,
    click: &Click,
    button: &Button,
    seen: &Seen,
    evidence: Value,
) -> Result<Result<Counted, Refusal>, StoreError> {
    let request = &loaded.request;
    let authority = match approval::authorize(request, click.person.clone(), &click.membership) {
        Ok(authority) => authority,
        Err(refusal) => return Ok(Err(refusal)),
    };
    if !seen.may_lead_to(click, button) {
        return Ok(Err(Refusal::StaleAuthority));
    }
    adopt(tx, button, seen, click.shown_at.as_ref()).await?;
    let event = Event::Vote {
        authority,
        choice: click.choice,
        reason: click.reason.clone(),
        received_at: click.received_at,
    };
    let result = transition(tx, loaded, &event, evidence).await?;
    Ok(result.map(counted))
}

async fn withdraw(
    tx: &mut Tx,
    loaded: &Loaded,
    person: &PersonFacts,
    evidence: Value,
) -> Result<Result<Counted, Refusal>, StoreError> {
    let event = Event::Withdraw { by: person.clone() };
    let result = transition(tx, loaded, &event, evidence).await?;
    Ok(result.map(counted))
}

fn counted(after: Request) -> Counted {
    match after.decision {
        Some(decision) => Counted::Decided(decision),
        None => Counted::Vote,
    }
}

/// What the card of a button showed when it was pressed.
#[derive(sqlx::FromRow)]
struct Seen {
    shown_hash: Option<String>,
    shown_version: i64,
    complete: i64,
    intent_at: Option<i64>,
}

impl Seen {
    /// A press counts only for what its button says, on the message it was made for, and an
    /// approval only where all of the action could be seen.
    fn may_lead_to(&self, click: &Click, button: &Button) -> bool {
        let meant = match click.choice {
            Choice::Approve => ButtonChoice::Approve,
            Choice::Reject => ButtonChoice::Reject,
        };
        let in_place = match (&click.shown_at, &button.shown_at) {
            (Some(pressed), Some(posted)) => pressed == posted,
            // Slack's answer to the post is still on its way; the press brings the news.
            (Some(_), None) => self.intent_at.is_some(),
            // A dialog: it was opened by a press on the card.
            (None, _) => true,
        };
        let hidden = self.shown_version > 0 && self.complete == 0;
        let approves_unseen = click.choice == Choice::Approve && hidden;
        button.choice == meant && in_place && !approves_unseen
    }
}

async fn seen(tx: &mut Tx, button: &Button) -> Result<Seen, StoreError> {
    let seen = sqlx::query_as(
        "SELECT shown_hash, shown_version, complete, intent_at FROM cards WHERE id = $1",
    )
    .bind(button.card.as_str())
    .fetch_one(&mut tx.conn)
    .await?;
    Ok(seen)
}

/// A post whose outcome was unknown has got through: somebody just pressed its button.
async fn adopt(
    tx: &mut Tx,
    button: &Button,
    seen: &Seen,
    pressed: Option<&ShownAt>,
) -> Result<(), StoreError> {
    let (Some(pressed), None, Some(_)) = (pressed, &button.shown_at, seen.intent_at) else {
        return Ok(());
    };
    sqlx::query(
        "UPDATE cards SET channel = $2, message_ts = $3, intent_at = NULL
         WHERE id = $1 AND message_ts IS NULL",
    )
    .bind(button.card.as_str())
    .bind(&pressed.channel)
    .bind(&pressed.message_ts)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// The stored answer to a delivery that came before.
async fn answered(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    key: &str,
    content: &str,
) -> Result<Option<Verdict>, StoreError> {
    let Some(seen) = intake::seen(tx, workspace, key).await? else {
        return Ok(None);
    };
    if seen.body_hash != content {
        return Err(StoreError::Conflict(key.to_owned()));
    }
    let (request, result) = from_json("verdict", &seen.verdict)?;
    Ok(Some(Verdict { request, result, repeated: true }))
}

/// What is recorded of a refusal.
struct Refused<'a> {
    choice: &'static str,
    person: &'a PersonFacts,
    evidence: &'a Value,
}

/// Remembers the answer under the delivery's key; a refusal goes into the audit log as well.
async fn settle(
    tx: &mut Tx,
    request: &Request,
    key: &str,
    content: &str,
    result: Result<Counted, Refusal>,
    record: Refused<'_>,
) -> Result<Verdict, StoreError> {
    if let Err(refusal) = &result {
        let entry = Entry {
            workspace: &request.workspace,
            kind: "click.refused",
            subject: request.id.as_str(),
            body: json!({
                "choice": record.choice, "person": record.person, "refusal": refusal,
                "evidence": record.evidence, "digest": request.digest,
            }),
        };
        audit::append(tx, entry).await?;
    }
    let verdict = json(&(&request.id, &result))?;
    intake::remember(tx, &request.workspace, key, content, &verdict).await?;
    failpoint::reach(Point::ClickWritten);
    Ok(Verdict { request: request.id.clone(), result, repeated: false })
}
