//! The one way a request changes: the core decides, and everything that follows is written.

use serde_json::{Map, Value, json};

use super::apply::{Subject, apply};
use super::cards::Viewer;
use super::requests::Loaded;
use super::rows::{big, json};
use super::{StoreError, Tx, events};
use crate::approval::{
    self, DecidedBy, Decision, Event, Outcome, Refusal, Request, TimerKind, Vote,
};
use crate::audit::{self, Entry};
use crate::stream::RunEvent;

/// Puts one event to the core and writes what comes of it: the new state against the version that
/// was read, the vote, every effect and the audit record. A refusal writes nothing.
pub(super) async fn transition(
    tx: &mut Tx,
    loaded: &Loaded,
    event: &Event,
    evidence: Value,
) -> Result<Result<Request, Refusal>, StoreError> {
    let before = &loaded.request;
    let (after, effects) = match approval::step(before, event, tx.now) {
        Ok(stepped) => stepped,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let sealed = loaded.kept.whole();
    let sealed = sealed.ok_or_else(|| StoreError::damaged("request", "reduced before its end"))?;
    write_state(tx, before, &after).await?;
    let new_vote = after.votes.get(before.votes.len());
    if let Some(vote) = new_vote {
        write_vote(tx, &after, vote, &evidence).await?;
    }
    let mut body = Map::new();
    body.insert("version".to_owned(), json!(after.version));
    body.insert("digest".to_owned(), json!(after.digest));
    body.insert("stage".to_owned(), json!(after.stage));
    body.insert("stage_since".to_owned(), json!(after.stage_since));
    body.insert("evidence".to_owned(), evidence);
    if let Some(vote) = new_vote {
        body.insert("vote".to_owned(), json!(vote));
    }
    if let Some(decision) = &after.decision {
        body.insert("decision".to_owned(), json!(decision));
    }
    let entry = Entry {
        workspace: &after.workspace,
        kind: kind(event, before, &after),
        subject: after.id.as_str(),
        body: Value::Object(body),
    };
    audit::append(tx, entry).await?;
    if let (Some(decision), Some(asking)) = (&after.decision, &loaded.asking) {
        let told = vec![decided(&after, &sealed.envelope().tool.name, decision)];
        events::tell(tx, &after.workspace, &asking.run, told).await?;
    }
    let asking = loaded.asking.as_ref();
    let subject = Subject { request: &after, sealed, asking, viewer: viewer(event) };
    apply(tx, &subject, effects).await?;
    Ok(Ok(after))
}

/// Whoever has pressed looks at the card.
fn viewer(event: &Event) -> Viewer {
    match event {
        Event::Vote { .. } | Event::Withdraw { .. } | Event::Cancel { .. } => Viewer::Somebody,
        Event::TimerDue(_)
        | Event::Supersede { .. }
        | Event::Undeliverable { .. }
        | Event::Restore { .. } => Viewer::Nobody,
    }
}

fn decided(request: &Request, tool: &str, decision: &Decision) -> RunEvent {
    let by = match &decision.by {
        DecidedBy::Person(person) => Some(person.name.clone()),
        DecidedBy::Operator(_) | DecidedBy::Restore { .. } => Some("the operator".to_owned()),
        DecidedBy::Time | DecidedBy::Request(_) => None,
    };
    RunEvent::ApprovalDecided {
        request: request.id.to_string(),
        tool: tool.to_owned(),
        outcome: outcome_text(decision.outcome).to_owned(),
        by,
        reason: decision.reason.clone(),
    }
}

/// The name of a change in the audit log.
fn kind(event: &Event, before: &Request, after: &Request) -> &'static str {
    if let Some(decision) = &after.decision {
        return outcome_kind(decision.outcome);
    }
    if after.stage > before.stage {
        return "request.escalated";
    }
    match event {
        Event::Vote { .. } => "request.voted",
        Event::TimerDue(TimerKind::Remind { .. } | TimerKind::StageEnds { .. }) => {
            "request.reminded"
        }
        Event::Undeliverable { .. } => "request.undeliverable",
        Event::Withdraw { .. }
        | Event::Cancel { .. }
        | Event::Supersede { .. }
        | Event::Restore { .. } => "request.cancelled",
    }
}

pub(crate) fn outcome_kind(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Approved => "request.approved",
        Outcome::Rejected => "request.rejected",
        Outcome::Expired => "request.expired",
        Outcome::Cancelled => "request.cancelled",
        Outcome::Superseded => "request.superseded",
    }
}

/// Compare and set: whoever read an older version changes nothing.
async fn write_state(tx: &mut Tx, before: &Request, after: &Request) -> Result<(), StoreError> {
    let decision = after.decision.as_ref();
    let outcome = decision.map(|decision| outcome_text(decision.outcome));
    let written = sqlx::query(
        "UPDATE requests SET version = $3, stage = $4, stage_since = $5, outcome = $6, decision = $7
         WHERE id = $1 AND version = $2 AND outcome IS NULL",
    )
    .bind(before.id.as_str())
    .bind(big(before.version))
    .bind(big(after.version))
    .bind(big(after.stage))
    .bind(after.stage_since.as_millis())
    .bind(outcome)
    .bind(decision.map(json).transpose()?)
    .execute(&mut tx.conn)
    .await?;
    if written.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Fenced) }
}

pub(crate) fn outcome_text(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Approved => "approved",
        Outcome::Rejected => "rejected",
        Outcome::Expired => "expired",
        Outcome::Cancelled => "cancelled",
        Outcome::Superseded => "superseded",
    }
}

async fn write_vote(
    tx: &mut Tx,
    request: &Request,
    vote: &Vote,
    evidence: &Value,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO votes (request_id, person, workspace, seq, body, evidence, digest, at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(request.id.as_str())
    .bind(vote.by.person.as_str())
    .bind(request.workspace.as_str())
    .bind(big(request.votes.len()))
    .bind(json(vote)?)
    .bind(evidence.to_string())
    .bind(request.digest.to_string())
    .bind(vote.at.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
