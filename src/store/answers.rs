//! Answers to a run's questions: orders to resume. They carry no authority.

use serde_json::{Value, json};

use super::{StoreError, Tx};
use crate::approval::{DecidedBy, Decision, Outcome};
use crate::base::{RunId, Timestamp};

/// Which question of which run something is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asking {
    pub(super) run: RunId,
    pub(super) interrupt: String,
}

/// Answers a question, and queues its run when that was the last open one. The first answer
/// stands: a second one changes nothing.
pub(super) async fn answer(tx: &mut Tx, asking: &Asking, answer: &Value) -> Result<(), StoreError> {
    let answered = sqlx::query(
        "UPDATE interrupts SET answer = $3, answered_at = $4
         WHERE run_id = $1 AND id = $2 AND answer IS NULL",
    )
    .bind(asking.run.as_str())
    .bind(&asking.interrupt)
    .bind(answer.to_string())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    if answered.rows_affected() == 0 {
        tracing::error!(run = %asking.run, interrupt = asking.interrupt, "was answered before");
    }
    wake(tx, &asking.run).await?;
    Ok(())
}

/// Queues a waiting run that has no open question, and says whether it is one.
pub(super) async fn wake(tx: &mut Tx, run: &RunId) -> Result<bool, StoreError> {
    let queued = sqlx::query(
        "UPDATE runs SET state = 'queued', retry_at = $2, updated_at = $2
         WHERE id = $1 AND state = 'waiting'
           AND NOT EXISTS (SELECT 1 FROM interrupts WHERE run_id = $1 AND answer IS NULL)",
    )
    .bind(run.as_str())
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(queued.rows_affected() == 1)
}

/// The form of [`agent::CallAnswer`](crate::agent).
pub(super) fn call_answer(status: &str, content: &str) -> Value {
    json!({ "status": status, "content": content })
}

/// What an agent is told when its call was not approved. Plain facts: it has to go on from them.
pub(super) fn refused(decision: &Decision) -> Value {
    let because = match &decision.reason {
        Some(reason) => format!(" The reason given: {reason}"),
        None => String::new(),
    };
    match decision.outcome {
        Outcome::Rejected => {
            let by = match &decision.by {
                DecidedBy::Person(person) => person.name.as_str(),
                DecidedBy::Time
                | DecidedBy::Operator(_)
                | DecidedBy::Request(_)
                | DecidedBy::Restore { .. } => "An approver",
            };
            let content = format!("{by} rejected this call, so it was not made.{because}");
            call_answer("rejected", &content)
        }
        Outcome::Expired => {
            call_answer("expired", "Nobody decided in time, so this call was not made.")
        }
        Outcome::Cancelled => {
            let by = match &decision.by {
                DecidedBy::Person(person) => person.name.as_str(),
                DecidedBy::Restore { to, .. } => return put_back(*to),
                DecidedBy::Time | DecidedBy::Operator(_) | DecidedBy::Request(_) => "The operator",
            };
            let content = format!("{by} withdrew this call, so it was not made.{because}");
            call_answer("cancelled", &content)
        }
        Outcome::Superseded => {
            call_answer("superseded", "A changed call took the place of this one.")
        }
        // An approval is answered by what its execution brings.
        Outcome::Approved => call_answer("not_started", "This call was approved and has not run."),
    }
}

/// A restored desk cannot know what became of a call: an agent must not go on as if it had not been made.
fn put_back(to: Timestamp) -> Value {
    let content = format!(
        "The desk was put back to a backup of {to}, in which this call waited for a decision. Whether it \
         was made after that is not known here: look before you ask for it again."
    );
    call_answer("unknown", &content)
}
