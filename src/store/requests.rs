//! Requests as rows: how they are read and how a new state is written.

use super::answers::Asking;
use super::executions::state_of;
use super::rows::{count, from_json, instant};
use super::{Conn, ExecutionView, SlackThread, Store, StoreError, Thread};
use crate::approval::{Digest, Kept, Remains, Request, Vote};
use crate::base::{ExecutionId, RequestId, RunId, ThreadId, WorkspaceId};

/// A request with all that a person may be shown of it.
#[derive(Clone, Debug)]
pub struct StoredRequest {
    pub request: Request,
    pub kept: Kept,
    /// The agent's own words. Never a fact.
    pub claim: Option<String>,
    pub because: Option<String>,
    pub show: Vec<String>,
    pub run: Option<RunId>,
    /// Where the requester is told.
    pub thread: Option<Thread>,
    /// Why some stage's approvers could not be shown it, if so.
    pub undeliverable: Option<String>,
    pub execution: Option<ExecutionView>,
}

impl Store {
    /// One request; nothing when it is not of this workspace.
    pub async fn request(
        &self,
        workspace: &WorkspaceId,
        request: &RequestId,
    ) -> Result<Option<StoredRequest>, StoreError> {
        stored(&mut self.snapshot().await?, workspace, request).await
    }
}

/// A request as a transition needs it.
pub(crate) struct Loaded {
    pub(crate) request: Request,
    pub(crate) kept: Kept,
    pub(super) asking: Option<Asking>,
}

/// Reads a request for a transition; refuses one whose bytes and digest do not belong together.
pub(crate) async fn load(
    conn: &mut Conn,
    request: &RequestId,
) -> Result<Option<Loaded>, StoreError> {
    let row: Option<CoreRow> = sqlx::query_as(
        "SELECT id, run_id, interrupt_id, envelope, digest, terms, version, stage, stage_since,
                decision, reduced_at
         FROM requests WHERE id = $1",
    )
    .bind(request.as_str())
    .fetch_optional(&mut *conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let votes = votes(&mut *conn, &row.id).await?;
    let asking = row.run_id.clone().zip(row.interrupt_id.clone());
    let asking = asking.map(|(run, interrupt)| Asking { run: RunId::existing(run), interrupt });
    let kept = kept(conn, &row)?;
    Ok(Some(Loaded { request: core_of(row, &kept, votes)?, kept, asking }))
}

#[derive(sqlx::FromRow)]
struct CoreRow {
    id: String,
    run_id: Option<String>,
    interrupt_id: Option<String>,
    envelope: String,
    digest: String,
    terms: String,
    version: i64,
    stage: i64,
    stage_since: i64,
    decision: Option<String>,
    reduced_at: Option<i64>,
}

/// What is kept of the action, if it belongs to the digest that people decided on.
fn kept(conn: &Conn, row: &CoreRow) -> Result<Kept, StoreError> {
    if let Some(at) = row.reduced_at.map(instant) {
        let remains: Remains = from_json("rest of an envelope", &row.envelope)?;
        let digest = Digest::try_from(row.digest.clone());
        let digest = digest.map_err(|error| StoreError::damaged("digest", error))?;
        return Ok(Kept::Reduced { remains: Box::new(remains), digest, at });
    }
    let sealed = conn.opened(&row.envelope);
    let sealed = sealed.map_err(|error| StoreError::damaged("envelope", error))?;
    if sealed.digest().to_string() != row.digest {
        return Err(StoreError::damaged("envelope", "its digest is another one"));
    }
    Ok(Kept::Whole(Box::new(sealed)))
}

/// Who asks, for whom and when is read from the sealed bytes: what was decided on is what counts.
fn core_of(row: CoreRow, kept: &Kept, votes: Vec<Vote>) -> Result<Request, StoreError> {
    let decision = row.decision.as_deref().map(|text| from_json("decision", text)).transpose()?;
    Ok(Request {
        id: RequestId::existing(row.id),
        workspace: kept.workspace().clone(),
        digest: kept.digest(),
        requester: kept.requester().clone(),
        terms: from_json("terms", &row.terms)?,
        asked_at: kept.asked_at(),
        version: count("version", row.version)?,
        stage: count("stage", row.stage)?,
        stage_since: instant(row.stage_since),
        votes,
        decision,
    })
}

async fn votes(conn: &mut Conn, request: &str) -> Result<Vec<Vote>, StoreError> {
    let votes: Vec<String> =
        sqlx::query_scalar("SELECT body FROM votes WHERE request_id = $1 ORDER BY seq")
            .bind(request)
            .fetch_all(conn)
            .await?;
    votes.iter().map(|vote| from_json("vote", vote)).collect()
}

/// Reads a request with all that people may be shown of it.
pub(crate) async fn stored(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    request: &RequestId,
) -> Result<Option<StoredRequest>, StoreError> {
    let Some(loaded) = load(&mut *conn, request).await? else {
        return Ok(None);
    };
    if loaded.request.workspace != *workspace {
        return Ok(None);
    }
    let shown: ShownRow = sqlx::query_as(
        "SELECT claim, because, show, undeliverable, thread_id, threads.agent, channel, thread_ts,
                executions.id AS execution_id, executions.state AS execution_state,
                executions.attempts, start_by, started_at, ended_at, note, settled
         FROM requests
         LEFT JOIN runs ON runs.id = requests.run_id
         LEFT JOIN threads ON threads.id = runs.thread_id
         LEFT JOIN executions ON executions.request_id = requests.id
         WHERE requests.id = $1",
    )
    .bind(request.as_str())
    .fetch_one(&mut *conn)
    .await?;
    let execution = match shown.execution()? {
        Some(execution) => Some(execution.with_late(conn).await?),
        None => None,
    };
    Ok(Some(StoredRequest {
        claim: shown.claim.clone(),
        because: shown.because.clone(),
        show: from_json("pinned arguments", &shown.show)?,
        undeliverable: shown.undeliverable.clone(),
        thread: shown.thread(),
        execution,
        run: loaded.asking.map(|asking| asking.run),
        request: loaded.request,
        kept: loaded.kept,
    }))
}

#[derive(sqlx::FromRow)]
struct ShownRow {
    claim: Option<String>,
    because: Option<String>,
    show: String,
    undeliverable: Option<String>,
    thread_id: Option<String>,
    agent: Option<String>,
    channel: Option<String>,
    thread_ts: Option<String>,
    execution_id: Option<String>,
    execution_state: Option<String>,
    attempts: Option<i64>,
    start_by: Option<i64>,
    started_at: Option<i64>,
    ended_at: Option<i64>,
    note: Option<String>,
    settled: Option<String>,
}

impl ShownRow {
    fn thread(&self) -> Option<Thread> {
        Some(Thread {
            id: ThreadId::existing(self.thread_id.clone()?),
            agent: self.agent.clone()?,
            slack: SlackThread::of(self.channel.clone(), self.thread_ts.clone()),
        })
    }

    fn execution(&self) -> Result<Option<ExecutionView>, StoreError> {
        let (Some(id), Some(state)) = (&self.execution_id, &self.execution_state) else {
            return Ok(None);
        };
        Ok(Some(ExecutionView {
            id: ExecutionId::existing(id),
            state: state_of(state)?,
            attempts: count("attempts", self.attempts.unwrap_or_default())?,
            start_by: instant(self.start_by.unwrap_or_default()),
            started_at: self.started_at.map(instant),
            ended_at: self.ended_at.map(instant),
            note: self.note.clone(),
            late: None,
            settled: self.settled.as_deref().map(|text| from_json("finding", text)).transpose()?,
        }))
    }
}
