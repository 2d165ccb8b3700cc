//! Runs: claimed with a lease and an epoch, one at a time per conversation.

use serde_json::json;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyQueryResult;

use super::rows::{big, count, from_json, json, text};
use super::{
    Definitions, NewNotice, RunInput, SlackThread, Store, StoreError, Thread, Tx, events, notices,
    pinned,
};
use crate::approval::Requester;
use crate::audit::{self, Entry};
use crate::base::{RunId, Span, ThreadId, Timestamp, WorkspaceId};
use crate::stream::{ErrorCode, RunEvent};

/// A run that this worker holds until its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedRun {
    pub id: RunId,
    pub workspace: WorkspaceId,
    pub thread: Thread,
    /// The definition it started with.
    pub graph_hash: String,
    pub input: RunInput,
    /// Absent until the directory has named them.
    pub requester: Option<Requester>,
    /// Every write for this run must carry it.
    pub epoch: u64,
    /// How often it was claimed since it last got anywhere, this time included.
    pub attempts: u64,
}

impl Store {
    /// Takes at most `limit` runs that may go on: queued and due, or left by a worker whose lease
    /// has ended. Only the oldest unfinished run of a conversation; one that waits for a decision
    /// keeps the later ones waiting too. One that began on a definition which is not among `known` is
    /// left to others until it was [`PARKED`](super::PARKED) for long enough.
    pub async fn claim_runs(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
        known: &Definitions,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        let (owner, known) = (owner.to_owned(), known.clone());
        self.write(move |tx| Box::pin(async move { claim(tx, &owner, lease, limit, &known).await }))
            .await
    }

    /// Keeps a run for another `lease` from now.
    pub async fn renew_run(&self, run: &RunId, epoch: u64, lease: Span) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let renewed = sqlx::query(
                    "UPDATE runs SET lease_until = $3
                     WHERE id = $1 AND epoch = $2 AND state = 'running'",
                )
                .bind(run.as_str())
                .bind(big(epoch))
                .bind(tx.now.plus(lease).as_millis())
                .execute(&mut tx.conn)
                .await?;
                fenced(&renewed)
            })
        })
        .await
    }

    /// Writes down who asked, as the directory named them.
    pub async fn name_requester(
        &self,
        run: &RunId,
        epoch: u64,
        requester: &Requester,
    ) -> Result<(), StoreError> {
        let (run, requester) = (run.clone(), json(requester)?);
        self.write(move |tx| {
            Box::pin(async move {
                let named = sqlx::query(
                    "UPDATE runs SET requester = $3, updated_at = $4
                     WHERE id = $1 AND epoch = $2 AND state = 'running'",
                )
                .bind(run.as_str())
                .bind(big(epoch))
                .bind(requester)
                .bind(tx.now.as_millis())
                .execute(&mut tx.conn)
                .await?;
                fenced(&named)
            })
        })
        .await
    }

    /// Gives a run back, to be claimed again from `retry_at`.
    pub async fn release_run(
        &self,
        run: &RunId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        let (run, error) = (run.clone(), text(error));
        self.write(move |tx| {
            Box::pin(async move {
                let released = sqlx::query(
                    "UPDATE runs SET state = 'queued', owner = NULL, lease_until = NULL,
                            retry_at = $3, error = $4, updated_at = $5
                     WHERE id = $1 AND epoch = $2 AND state = 'running'",
                )
                .bind(run.as_str())
                .bind(big(epoch))
                .bind(tx.due_at(retry_at).as_millis())
                .bind(error)
                .bind(tx.now.as_millis())
                .execute(&mut tx.conn)
                .await?;
                fenced(&released)
            })
        })
        .await
    }

    /// Gives a run back for which it is too early. Nothing was tried, so it is no attempt.
    pub async fn put_off_run(
        &self,
        run: &RunId,
        epoch: u64,
        until: Timestamp,
    ) -> Result<(), StoreError> {
        let run = run.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let put_off = sqlx::query(
                    "UPDATE runs SET state = 'queued', owner = NULL, lease_until = NULL,
                            retry_at = $3, attempts = attempts - 1, updated_at = $4
                     WHERE id = $1 AND epoch = $2 AND state = 'running'",
                )
                .bind(run.as_str())
                .bind(big(epoch))
                .bind(tx.due_at(until).as_millis())
                .bind(tx.now.as_millis())
                .execute(&mut tx.conn)
                .await?;
                fenced(&put_off)
            })
        })
        .await
    }

    /// Ends a run that cannot go on, and owes its thread a word about it. `code` is what whoever
    /// follows it is told; `error` is for the operator.
    pub async fn fail_run(
        &self,
        run: &RunId,
        epoch: u64,
        code: ErrorCode,
        error: &str,
        notice: Option<NewNotice>,
    ) -> Result<(), StoreError> {
        let (run, error) = (run.clone(), error.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let held = hold(tx, &run, epoch).await?;
                end(tx, &held, Err((code, &error))).await?;
                if code == ErrorCode::AgentChanged {
                    pinned::give_up_the_next(tx, &held).await?;
                }
                if let Some(notice) = &notice {
                    notices::owe(tx, notice).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

/// A write by a worker that no longer holds the row changes nothing, and says so.
pub(super) fn fenced(written: &AnyQueryResult) -> Result<(), StoreError> {
    if written.rows_affected() == 1 { Ok(()) } else { Err(StoreError::Fenced) }
}

/// A run whose lease was just checked.
pub(super) struct Held {
    pub(super) id: RunId,
    pub(super) workspace: WorkspaceId,
    pub(super) thread: ThreadId,
}

/// Checks that the caller still holds the run.
pub(super) async fn hold(tx: &mut Tx, run: &RunId, epoch: u64) -> Result<Held, StoreError> {
    let held: Option<(String, String)> = sqlx::query_as(
        "SELECT workspace, thread_id FROM runs
         WHERE id = $1 AND epoch = $2 AND state = 'running'",
    )
    .bind(run.as_str())
    .bind(big(epoch))
    .fetch_optional(&mut tx.conn)
    .await?;
    let (workspace, thread) = held.ok_or(StoreError::Fenced)?;
    Ok(Held {
        id: run.clone(),
        workspace: WorkspaceId::existing(workspace),
        thread: ThreadId::existing(thread),
    })
}

/// The channel and the thread in Slack that a run talks in; nothing when a caller of the API holds it.
pub(super) async fn conversation(
    tx: &mut Tx,
    run: &RunId,
) -> Result<Option<(String, String)>, StoreError> {
    let thread: Option<(Option<String>, Option<String>)> = sqlx::query_as(
        "SELECT channel, thread_ts FROM threads JOIN runs ON runs.thread_id = threads.id
         WHERE runs.id = $1",
    )
    .bind(run.as_str())
    .fetch_optional(&mut tx.conn)
    .await?;
    let (channel, thread_ts) = thread.ok_or(StoreError::NotFound("run"))?;
    Ok(channel.zip(thread_ts))
}

/// Ends a held run: done, or failed with an error. It is the last thing its log tells.
pub(super) async fn end(
    tx: &mut Tx,
    run: &Held,
    ended: Result<(), (ErrorCode, &str)>,
) -> Result<(), StoreError> {
    let last = ended.map_or_else(|(code, _)| RunEvent::error(code), |()| RunEvent::Done);
    events::tell(tx, &run.workspace, &run.id, vec![last]).await?;
    let error = ended.err().map(|(_, error)| error);
    let state = if error.is_some() { "failed" } else { "done" };
    sqlx::query(
        "UPDATE runs SET state = $2, error = $3, owner = NULL, lease_until = NULL, updated_at = $4
         WHERE id = $1",
    )
    .bind(run.id.as_str())
    .bind(state)
    .bind(error.map(text))
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let entry = Entry {
        workspace: &run.workspace,
        kind: if error.is_some() { "run.failed" } else { "run.done" },
        subject: run.id.as_str(),
        body: json!({ "error": error }),
    };
    audit::append(tx, entry).await
}

/// In SQL: whether an unfinished run of its conversation came before a row of `runs`.
pub(super) const BEHIND: &str = "EXISTS (
    SELECT 1 FROM runs AS older
    WHERE older.thread_id = runs.thread_id
      AND older.state IN ('queued', 'running', 'waiting')
      AND (older.created_at < runs.created_at
           OR (older.created_at = runs.created_at AND older.id < runs.id)))";

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    workspace: String,
    thread_id: String,
    agent: String,
    channel: Option<String>,
    thread_ts: Option<String>,
    graph_hash: String,
    input: String,
    requester: Option<String>,
    epoch: i64,
    attempts: i64,
}

async fn claim(
    tx: &mut Tx,
    owner: &str,
    lease: Span,
    limit: usize,
    known: &Definitions,
) -> Result<Vec<ClaimedRun>, StoreError> {
    let question = format!(
        "SELECT runs.id, runs.workspace, thread_id, runs.agent, channel, thread_ts, graph_hash,
                input, requester, epoch, attempts
         FROM runs JOIN threads ON threads.id = thread_id
         WHERE ((state = 'queued' AND retry_at <= $1) OR (state = 'running' AND lease_until <= $1))
           AND ({} OR (state = 'queued' AND lease_until <= $1)) AND NOT {BEHIND}
         ORDER BY runs.created_at, runs.id LIMIT $2",
        known.test(3)
    );
    let asked = sqlx::query_as(AssertSqlSafe(question)).bind(tx.now.as_millis()).bind(big(limit));
    let asked = known.keys().iter().fold(asked, |asked, key| asked.bind(key));
    let due: Vec<Row> = asked.fetch_all(&mut tx.conn).await?;
    for row in &due {
        sqlx::query(
            "UPDATE runs SET state = 'running', owner = $2, lease_until = $3, updated_at = $4,
                    epoch = epoch + 1, attempts = attempts + 1
             WHERE id = $1",
        )
        .bind(&row.id)
        .bind(owner)
        .bind(tx.now.plus(lease).as_millis())
        .bind(tx.now.as_millis())
        .execute(&mut tx.conn)
        .await?;
    }
    let mut runs = Vec::with_capacity(due.len());
    for row in due {
        let held = Held {
            id: RunId::existing(&row.id),
            workspace: WorkspaceId::existing(&row.workspace),
            thread: ThreadId::existing(&row.thread_id),
        };
        match claimed(row) {
            Ok(run) => runs.push(run),
            // A run that cannot be read must not keep the others from going on.
            Err(error) => {
                end(tx, &held, Err((ErrorCode::RunFailed, &error.to_string()))).await?;
            }
        }
    }
    Ok(runs)
}

fn claimed(row: Row) -> Result<ClaimedRun, StoreError> {
    let requester = row.requester.as_deref().map(|text| from_json("requester", text));
    Ok(ClaimedRun {
        id: RunId::existing(row.id),
        workspace: WorkspaceId::existing(row.workspace),
        thread: Thread {
            id: ThreadId::existing(row.thread_id),
            agent: row.agent,
            slack: SlackThread::of(row.channel, row.thread_ts),
        },
        graph_hash: row.graph_hash,
        input: from_json("run input", &row.input)?,
        requester: requester.transpose()?,
        epoch: count::<u64>("epoch", row.epoch)? + 1,
        attempts: count::<u64>("attempts", row.attempts)? + 1,
    })
}
