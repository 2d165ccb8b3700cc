//! What a start sets right: whatever a hand in the database, or a defect of ours, left undone.
//!
//! Crashes leave nothing here, because every transition is one transaction. Whatever is found is
//! therefore a defect: it is mended so that nobody waits for ever, and recorded as what it is. Since
//! it is rare and all that waits must be looked at, the look is a reader's, page after page, beside a
//! desk that serves; what seems to be wrong is looked at again in the transaction that mends it.

use std::time::Duration;

use serde_json::json;

use super::answers::{self, Asking, call_answer};
use super::rows::big;
use super::{Store, StoreError, Tx, apply, cards, requests};
use crate::approval::TimerKind;
use crate::audit::{self, Entry};
use crate::base::{RequestId, RunId, WorkspaceId};

/// How many requests or runs are looked at at once: a few milliseconds' worth.
const PAGE: usize = 200;

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
    /// Mends what must not be, with one audit record for each defect. It rests after each page, so
    /// that others get to read.
    pub async fn adopt_orphans(&self, rest: Duration) -> Result<Adopted, StoreError> {
        let mut adopted = Adopted::default();
        let mut after = (String::new(), i64::MIN, String::new());
        loop {
            let page = self.requests_to_check(&after).await?;
            for (_, _, id, _) in page.iter().filter(|(_, _, _, sound)| *sound == 0) {
                let id = RequestId::existing(id);
                let mended =
                    self.write(move |tx| Box::pin(async move { mend_request(tx, &id).await }));
                let (timers, cards) = mended.await?;
                adopted.timers += timers;
                adopted.cards += cards;
            }
            match page.into_iter().nth(PAGE - 1) {
                Some((workspace, asked_at, id, _)) => after = (workspace, asked_at, id),
                None => break,
            }
            tokio::time::sleep(rest).await;
        }
        let mut after = (i64::MIN, String::new());
        loop {
            let page = self.runs_to_check(&after).await?;
            for (_, id, _) in page.iter().filter(|(_, _, sound)| *sound == 0) {
                let run = RunId::existing(id);
                let mended =
                    self.write(move |tx| Box::pin(async move { mend_run(tx, &run).await }));
                let (questions, runs) = mended.await?;
                adopted.questions += questions;
                adopted.runs += runs;
            }
            match page.into_iter().nth(PAGE - 1) {
                Some((retry_at, id, _)) => after = (retry_at, id),
                None => return Ok(adopted),
            }
            tokio::time::sleep(rest).await;
        }
    }

    /// The next pending requests, and whether each has its timer and its card.
    async fn requests_to_check(
        &self,
        (workspace, asked_at, id): &(String, i64, String),
    ) -> Result<Vec<(String, i64, String, i64)>, StoreError> {
        let page = sqlx::query_as(
            "SELECT workspace, asked_at, id, CAST(CASE WHEN EXISTS (
                 SELECT 1 FROM timers WHERE request_id = requests.id AND done_at IS NULL
                   AND timers.kind LIKE '%stage_ends%')
               AND EXISTS (
                 SELECT 1 FROM cards WHERE request_id = requests.id AND cards.kind = 'stage'
                   AND cards.stage = requests.stage) THEN 1 ELSE 0 END AS BIGINT)
             FROM requests WHERE outcome IS NULL AND (workspace, asked_at, id) > ($1, $2, $3)
             ORDER BY workspace, asked_at, id LIMIT $4",
        )
        .bind(workspace)
        .bind(asked_at)
        .bind(id)
        .bind(big(PAGE))
        .fetch_all(&mut self.reader().await?)
        .await?;
        Ok(page)
    }

    /// The next runs that wait, and whether each waits for something that will come.
    async fn runs_to_check(
        &self,
        (retry_at, id): &(i64, String),
    ) -> Result<Vec<(i64, String, i64)>, StoreError> {
        let page = sqlx::query_as(
            "SELECT retry_at, id, CAST(CASE WHEN EXISTS (
                 SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL)
               AND NOT EXISTS (
                 SELECT 1 FROM interrupts WHERE run_id = runs.id AND answer IS NULL
                   AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.run_id = runs.id
                     AND requests.interrupt_id = interrupts.id AND outcome IS NULL)
                   AND NOT EXISTS (SELECT 1 FROM executions WHERE executions.run_id = runs.id
                     AND executions.interrupt_id = interrupts.id AND ended_at IS NULL))
               THEN 1 ELSE 0 END AS BIGINT)
             FROM runs WHERE state = 'waiting' AND (retry_at, id) > ($1, $2)
             ORDER BY retry_at, id LIMIT $3",
        )
        .bind(retry_at)
        .bind(id)
        .bind(big(PAGE))
        .fetch_all(&mut self.reader().await?)
        .await?;
        Ok(page)
    }
}

/// A pending request without a timer would never escalate and never expire; one without a card is one
/// that nobody knows of.
async fn mend_request(tx: &mut Tx, id: &RequestId) -> Result<(usize, usize), StoreError> {
    let loaded = requests::load(&mut tx.conn, id).await?;
    let request = loaded.ok_or(StoreError::NotFound("request"))?.request;
    if !request.is_pending() {
        return Ok((0, 0));
    }
    let (timers, shown): (i64, i64) = sqlx::query_as(
        "SELECT (SELECT COUNT(*) FROM timers WHERE request_id = $1 AND done_at IS NULL
                   AND kind LIKE '%stage_ends%'),
                (SELECT COUNT(*) FROM cards WHERE request_id = $1 AND kind = 'stage'
                   AND stage = $2)",
    )
    .bind(id.as_str())
    .bind(big(request.stage))
    .fetch_one(&mut tx.conn)
    .await?;
    if timers == 0 {
        let kind = TimerKind::StageEnds { stage: request.stage };
        let due = request.stage_ends(request.stage);
        apply::set_timer(tx, &request, kind, due).await?;
        record(tx, &request.workspace, id.as_str(), "a pending request had no timer").await?;
    }
    if shown == 0 {
        if let Some(stage) = request.terms.path.get(request.stage) {
            cards::owe(tx, &request, request.stage, &stage.place).await?;
        }
        record(tx, &request.workspace, id.as_str(), "a pending request had no card").await?;
    }
    Ok((usize::from(timers == 0), usize::from(shown == 0)))
}

/// A question that nothing will ever answer keeps its whole conversation waiting, and a run that waits
/// for nothing would wait for ever.
async fn mend_run(tx: &mut Tx, run: &RunId) -> Result<(usize, usize), StoreError> {
    let workspace: Option<String> =
        sqlx::query_scalar("SELECT workspace FROM runs WHERE id = $1 AND state = 'waiting'")
            .bind(run.as_str())
            .fetch_optional(&mut tx.conn)
            .await?;
    let Some(workspace) = workspace.map(WorkspaceId::existing) else { return Ok((0, 0)) };
    let lost: Vec<String> = sqlx::query_scalar(
        "SELECT id FROM interrupts WHERE run_id = $1 AND answer IS NULL
           AND NOT EXISTS (SELECT 1 FROM requests WHERE requests.run_id = interrupts.run_id
                             AND requests.interrupt_id = interrupts.id AND outcome IS NULL)
           AND NOT EXISTS (SELECT 1 FROM executions WHERE executions.run_id = interrupts.run_id
                             AND executions.interrupt_id = interrupts.id AND ended_at IS NULL)",
    )
    .bind(run.as_str())
    .fetch_all(&mut tx.conn)
    .await?;
    for interrupt in &lost {
        let asking = Asking { run: run.clone(), interrupt: interrupt.clone() };
        let content = "This call was lost before anybody was asked, so it was not made.";
        answers::answer(tx, &asking, &call_answer("not_started", content)).await?;
        let what = "an open question had neither request nor execution";
        record(tx, &workspace, run.as_str(), what).await?;
    }
    if !lost.is_empty() || !answers::wake(tx, run).await? {
        return Ok((lost.len(), 0));
    }
    record(tx, &workspace, run.as_str(), "a run waited although every question was answered")
        .await?;
    Ok((0, 1))
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
