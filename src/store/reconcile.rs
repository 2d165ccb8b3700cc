//! What a start sets right: whatever a hand in the database, or a defect of ours, left undone.
//!
//! Crashes leave nothing here, because every transition is one transaction. Whatever is found is
//! therefore a defect: it is mended so that nobody waits for ever, and recorded as what it is.

use serde_json::json;

use super::answers::{self, Asking, call_answer};
use super::{Store, StoreError, Tx, apply, cards, requests};
use crate::approval::TimerKind;
use crate::audit::{self, Entry};
use crate::base::{RequestId, RunId, WorkspaceId};

/// What [`Store::adopt_orphans`] found and mended. All zero after any crash of ours.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Adopted {
    /// Pending requests without the timer that ends their stage.
    pub timers: usize,
    /// Pending requests without a card for the stage they stand at.
    pub cards: usize,
    /// Open questions without a request or an execution; their call is answered as not started.
    pub questions: usize,
    /// Waiting runs whose every question had an answer.
    pub runs: usize,
}

impl Store {
    /// Mends what must not be, with one audit record for each defect.
    pub async fn adopt_orphans(&self) -> Result<Adopted, StoreError> {
        self.write(|tx| {
            Box::pin(async move {
                Ok(Adopted {
                    timers: adopt_timers(tx).await?,
                    cards: adopt_cards(tx).await?,
                    questions: adopt_questions(tx).await?,
                    runs: adopt_runs(tx).await?,
                })
            })
        })
        .await
    }
}

/// A pending request without a timer would never escalate and never expire.
async fn adopt_timers(tx: &mut Tx) -> Result<usize, StoreError> {
    let orphans: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM requests WHERE outcome IS NULL AND NOT EXISTS (
           SELECT 1 FROM timers WHERE request_id = requests.id AND done_at IS NULL
             AND kind LIKE '%stage_ends%')",
    )
    .fetch_all(&mut tx.conn)
    .await?;
    for id in &orphans {
        let id = RequestId::existing(id);
        let loaded = requests::load(&mut tx.conn, &id).await?;
        let request = loaded.ok_or(StoreError::NotFound("request"))?.request;
        let kind = TimerKind::StageEnds { stage: request.stage };
        let due = request.stage_ends(request.stage);
        apply::set_timer(tx, &request, kind, due).await?;
        record(tx, &request.workspace, id.as_str(), "a pending request had no timer").await?;
    }
    Ok(orphans.len())
}

/// A pending request without a card is one that nobody knows of.
async fn adopt_cards(tx: &mut Tx) -> Result<usize, StoreError> {
    let orphans: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM requests WHERE outcome IS NULL AND NOT EXISTS (
           SELECT 1 FROM cards WHERE request_id = requests.id AND kind = 'stage'
             AND cards.stage = requests.stage)",
    )
    .fetch_all(&mut tx.conn)
    .await?;
    for id in &orphans {
        let id = RequestId::existing(id);
        let loaded = requests::load(&mut tx.conn, &id).await?;
        let request = loaded.ok_or(StoreError::NotFound("request"))?.request;
        if let Some(stage) = request.terms.path.get(request.stage) {
            cards::owe(tx, &request, request.stage, &stage.place).await?;
        }
        record(tx, &request.workspace, id.as_str(), "a pending request had no card").await?;
    }
    Ok(orphans.len())
}

/// A question that nothing will ever answer keeps its whole conversation waiting.
async fn adopt_questions(tx: &mut Tx) -> Result<usize, StoreError> {
    let orphans: Vec<(String, String, String)> = sqlx::query_as(
        "/* every row */ SELECT run_id, id, workspace FROM interrupts WHERE answer IS NULL
           AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.run_id = interrupts.run_id
                             AND requests.interrupt_id = interrupts.id AND outcome IS NULL)
           AND NOT EXISTS (SELECT 1 FROM executions WHERE executions.run_id = interrupts.run_id
                             AND executions.interrupt_id = interrupts.id AND ended_at IS NULL)",
    )
    .fetch_all(&mut tx.conn)
    .await?;
    for (run, interrupt, workspace) in &orphans {
        let asking = Asking { run: RunId::existing(run), interrupt: interrupt.clone() };
        let content = "This call was lost before anybody was asked, so it was not made.";
        answers::answer(tx, &asking, &call_answer("not_started", content)).await?;
        let workspace = WorkspaceId::existing(workspace);
        record(tx, &workspace, run, "an open question had neither request nor execution").await?;
    }
    Ok(orphans.len())
}

/// A run that waits for nothing would wait for ever.
async fn adopt_runs(tx: &mut Tx) -> Result<usize, StoreError> {
    let orphans: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, workspace FROM runs WHERE state = 'waiting' AND NOT EXISTS (
           SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL)",
    )
    .fetch_all(&mut tx.conn)
    .await?;
    for (run, workspace) in &orphans {
        answers::wake(tx, &RunId::existing(run)).await?;
        let workspace = WorkspaceId::existing(workspace);
        record(tx, &workspace, run, "a run waited although every question was answered").await?;
    }
    Ok(orphans.len())
}

async fn record(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    subject: &str,
    what: &str,
) -> Result<(), StoreError> {
    tracing::error!(%workspace, subject, what, "a defect was found in the database and mended");
    let body = json!({ "what": what });
    audit::append(tx, Entry { workspace, kind: "defect.mended", subject, body }).await
}
