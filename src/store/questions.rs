//! The questions of a suspended run: one for each tool call that its agent proposes.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::answers::{self, Asking, call_answer};
use super::apply::{Subject, apply};
use super::cards::Viewer;
use super::rows::{big, count, json, text};
use super::runs::Held;
use super::{Store, StoreError, StoredRequest, Tx, again, events, executions};
use crate::approval::{Effect, Kept, Request, Sealed};
use crate::audit::{self, Entry};
use crate::base::{RunId, Timestamp};
use crate::stream::RunEvent;

/// One interrupt, already put to the policy.
#[derive(Clone, Debug)]
pub struct Question {
    pub interrupt_id: String,
    /// What the graph asked.
    pub value: Value,
    pub outcome: QuestionOutcome,
}

#[derive(Clone, Debug)]
pub enum QuestionOutcome {
    /// It needs nobody: invalid, or denied by the policy.
    Answered(Value),
    /// A rule allows it: it may run once, if it starts before `start_by`.
    Allowed { sealed: Box<Sealed>, start_by: Timestamp },
    /// People are asked.
    Asked(Box<NewRequest>),
}

/// A request as [`approval::open`](crate::approval::open) made it, with what its card shows.
#[derive(Clone, Debug)]
pub struct NewRequest {
    pub request: Request,
    pub effects: Vec<Effect>,
    pub sealed: Sealed,
    /// The agent's own words. Never a fact.
    pub claim: Option<String>,
    /// Why the policy asked although a condition failed to evaluate.
    pub because: Option<String>,
    /// Paths of the arguments pinned on top of the card.
    pub show: Vec<String>,
}

impl NewRequest {
    /// As it would stand once written, before anybody has been shown it.
    pub fn proposed(self) -> StoredRequest {
        StoredRequest {
            request: self.request,
            kept: Kept::Whole(Box::new(self.sealed)),
            claim: self.claim,
            because: self.because,
            show: self.show,
            run: None,
            thread: None,
            undeliverable: None,
            execution: None,
        }
    }
}

/// What a run has asked so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownQuestions {
    /// The interrupts that are written down.
    pub ids: BTreeSet<String>,
    /// For how many of them people were asked.
    pub requests: u32,
}

impl Store {
    /// What a run has asked so far, whoever drove it.
    pub async fn known_questions(&self, run: &RunId) -> Result<KnownQuestions, StoreError> {
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "SELECT id, (SELECT COUNT(*) FROM requests
                         WHERE requests.run_id = interrupts.run_id AND interrupt_id = interrupts.id)
             FROM interrupts WHERE run_id = $1",
        )
        .bind(run.as_str())
        .fetch_all(&mut self.reader().await?)
        .await?;
        let requests = count("requests", rows.iter().map(|(_, requests)| requests).sum())?;
        Ok(KnownQuestions { ids: rows.into_iter().map(|(id, _)| id).collect(), requests })
    }
}

/// Writes a question down with all that it entails. One that was asked before stays as it is: the
/// graph surfaces all open ones again whenever it is suspended.
pub(super) async fn ask(tx: &mut Tx, run: &Held, question: Question) -> Result<(), StoreError> {
    let asked = sqlx::query(
        "INSERT INTO interrupts (run_id, id, workspace, value, created_at)
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run_id, id) DO NOTHING",
    )
    .bind(run.id.as_str())
    .bind(&question.interrupt_id)
    .bind(run.workspace.as_str())
    .bind(question.value.to_string())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    if asked.rows_affected() == 0 {
        return Ok(());
    }
    let asking = Asking { run: run.id.clone(), interrupt: question.interrupt_id };
    match not_again(tx, run, question.outcome).await? {
        QuestionOutcome::Answered(answer) => {
            let entry = Entry {
                workspace: &run.workspace,
                kind: "call.answered",
                subject: run.id.as_str(),
                body: json!({
                    "interrupt": asking.interrupt, "call": question.value, "answer": answer,
                }),
            };
            audit::append(tx, entry).await?;
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (tool, status) = (text(&question.value["call"]["tool"]), text(&answer["status"]));
            let told = vec![RunEvent::tool_end(&tool, &status, &text(&answer["content"]))];
            events::tell(tx, &run.workspace, &run.id, told).await?;
            answers::answer(tx, &asking, &answer).await
        }
        QuestionOutcome::Allowed { sealed, start_by } => {
            let execution = executions::order(tx, &sealed, None, Some(&asking), start_by).await?;
            let entry = Entry {
                workspace: &run.workspace,
                kind: "execution.allowed",
                subject: execution.as_str(),
                body: json!({
                    "digest": sealed.digest(), "envelope": sealed.envelope(),
                    "start_by": start_by, "run": run.id,
                }),
            };
            audit::append(tx, entry).await
        }
        QuestionOutcome::Asked(new) => open(tx, &asking, *new).await,
    }
}

/// Nothing is ordered and nobody is asked while it is not known whether an equal action happened.
async fn not_again(
    tx: &mut Tx,
    run: &Held,
    outcome: QuestionOutcome,
) -> Result<QuestionOutcome, StoreError> {
    let sealed = match &outcome {
        QuestionOutcome::Answered(_) => return Ok(outcome),
        QuestionOutcome::Allowed { sealed, .. } => sealed,
        QuestionOutcome::Asked(new) => &new.sealed,
    };
    let Some(unsettled) = again::waits_for(tx, &run.workspace, sealed).await? else {
        return Ok(outcome);
    };
    let told = again::told(&sealed.envelope().tool.name, &unsettled);
    again::show(tx, &run.workspace, &run.id, unsettled).await?;
    Ok(QuestionOutcome::Answered(call_answer("unsettled", &told)))
}

/// Writes a new request: its row, its first effects, its first record.
async fn open(tx: &mut Tx, asking: &Asking, new: NewRequest) -> Result<(), StoreError> {
    let NewRequest { request, effects, sealed, claim, because, show } = new;
    sqlx::query(
        "INSERT INTO requests
           (id, workspace, run_id, interrupt_id, person, envelope, digest, claim, because, show,
            terms, asked_at, version, stage, stage_since)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
    )
    .bind(request.id.as_str())
    .bind(request.workspace.as_str())
    .bind(asking.run.as_str())
    .bind(&asking.interrupt)
    .bind(request.requester.person.as_str())
    .bind(sealed.bytes())
    .bind(sealed.digest().to_string())
    .bind(claim.as_deref().map(text))
    .bind(because.as_deref().map(text))
    .bind(json(&show)?)
    .bind(json(&request.terms)?)
    .bind(request.asked_at.as_millis())
    .bind(big(request.version))
    .bind(big(request.stage))
    .bind(request.stage_since.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let entry = Entry {
        workspace: &request.workspace,
        kind: "request.opened",
        subject: request.id.as_str(),
        body: json!({
            "version": request.version, "stage": request.stage,
            "stage_since": request.stage_since, "digest": sealed.digest(),
            "envelope": sealed.envelope(), "terms": request.terms, "run": asking.run, "decide_by": request.decide_by(),
        }),
    };
    audit::append(tx, entry).await?;
    let envelope = sealed.envelope();
    let told = RunEvent::ApprovalRequested {
        request: request.id.to_string(),
        tool: envelope.tool.name.clone(),
        input: json!(envelope.arguments),
        rule: request.terms.rule.clone(),
        decide_by: request.decide_by().to_string(),
    };
    events::tell(tx, &request.workspace, &asking.run, vec![told]).await?;
    let viewer = Viewer::Somebody;
    let subject = Subject { request: &request, sealed: &sealed, asking: Some(asking), viewer };
    apply(tx, &subject, effects).await
}
