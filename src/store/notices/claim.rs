//! Which messages must be sent.

use super::OwedNotice;
use crate::base::{NoticeId, RequestId, RunId, Span, ThreadId, WorkspaceId};
use crate::store::rows::{big, count, from_json, instant, text};
use crate::store::{SlackThread, StoreError, Thread, Tx};

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    workspace: String,
    request_id: Option<String>,
    run_id: Option<String>,
    kind: String,
    body: String,
    intent_at: Option<i64>,
    epoch: i64,
    attempts: i64,
    created_at: i64,
    audience: Option<String>,
    thread_id: Option<String>,
    agent: Option<String>,
    channel: Option<String>,
    thread_ts: Option<String>,
}

/// Takes at most `limit` messages that must be sent, those that have waited longest first, and says
/// that they begin: until [`Store::notice_sent`] nobody knows whether they were. What a run says waits
/// for the message in which it may be growing already.
pub(in crate::store) async fn claim(
    tx: &mut Tx,
    owner: &str,
    lease: Span,
    limit: usize,
) -> Result<Vec<OwedNotice>, StoreError> {
    let due: Vec<Row> = sqlx::query_as(
        "SELECT notices.id, notices.workspace, request_id, run_id, kind, body, intent_at,
                notices.epoch, notices.attempts, notices.created_at, audience,
                threads.id AS thread_id, threads.agent, threads.channel, thread_ts
         FROM notices
         LEFT JOIN runs ON runs.id = notices.run_id
         LEFT JOIN threads ON threads.id = runs.thread_id
         WHERE notices.state = 'owed' AND notices.retry_at <= $1
           AND (notices.lease_until IS NULL OR notices.lease_until <= $1)
           AND NOT (notices.kind = 'reply' AND EXISTS (
             SELECT 1 FROM shows WHERE shows.run_id = notices.run_id AND shows.state = 'live'))
         ORDER BY notices.retry_at, notices.created_at, notices.id LIMIT $2",
    )
    .bind(tx.now.as_millis())
    .bind(big(limit))
    .fetch_all(&mut tx.conn)
    .await?;
    for row in &due {
        sqlx::query(
            "UPDATE notices SET owner = $2, lease_until = $3, epoch = epoch + 1,
                    intent_at = COALESCE(intent_at, $4)
             WHERE id = $1",
        )
        .bind(&row.id)
        .bind(owner)
        .bind(tx.now.plus(lease).as_millis())
        .bind(tx.now.as_millis())
        .execute(&mut tx.conn)
        .await?;
    }
    let mut notices = Vec::with_capacity(due.len());
    for row in due {
        let notice = row.id.clone();
        match owed(row) {
            Ok(notice) => notices.push(notice),
            Err(error) => bury(tx, &notice, &error).await?,
        }
    }
    Ok(notices)
}

/// A message that cannot be read must not keep the others from being sent.
async fn bury(tx: &mut Tx, notice: &str, error: &StoreError) -> Result<(), StoreError> {
    tracing::error!(notice, %error, "a message cannot be read and is given up");
    sqlx::query(
        "UPDATE notices SET state = 'dead', error = $2, owner = NULL, lease_until = NULL
         WHERE id = $1",
    )
    .bind(notice)
    .bind(text(&error.to_string()))
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

fn owed(row: Row) -> Result<OwedNotice, StoreError> {
    Ok(OwedNotice {
        id: NoticeId::existing(row.id),
        workspace: WorkspaceId::existing(row.workspace),
        request: row.request_id.map(RequestId::existing),
        run: row.run_id.map(RunId::existing),
        kind: row.kind,
        body: from_json("notice", &row.body)?,
        thread: row.thread_id.zip(row.agent).map(|(id, agent)| Thread {
            id: ThreadId::existing(id),
            agent,
            slack: SlackThread::of(row.channel, row.thread_ts),
        }),
        unsure_since: row.intent_at.map(instant),
        epoch: count::<u64>("epoch", row.epoch)? + 1,
        attempts: count("attempts", row.attempts)?,
        created_at: instant(row.created_at),
        audience: row.audience,
    })
}
