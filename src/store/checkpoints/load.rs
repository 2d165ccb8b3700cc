//! Reads checkpoints back: each value as it was, from what changed since it began.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{StoredCheckpoint, StoredSnapshot};
use crate::base::RunId;
use crate::store::Conn;
use crate::store::StoreError;
use crate::store::rows::from_json;

#[derive(sqlx::FromRow)]
struct Row {
    thread_id: String,
    seq: i64,
    id: String,
    run_id: String,
    parent: Option<String>,
    namespace: String,
    step: i64,
    keys: String,
    body: String,
}

/// One checkpoint of a run's conversation; the newest unless one is named.
pub(super) async fn one(
    conn: &mut Conn,
    run: &RunId,
    namespace: &str,
    checkpoint: Option<&str>,
) -> Result<Option<StoredSnapshot>, StoreError> {
    let newest: Option<Row> = sqlx::query_as(
        "SELECT checkpoints.thread_id, seq, checkpoints.id, run_id, parent, namespace, step, keys,
                body
         FROM checkpoints JOIN runs ON runs.thread_id = checkpoints.thread_id
         WHERE runs.id = $1 AND namespace = $2
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(run.as_str())
    .bind(namespace)
    .fetch_optional(&mut *conn)
    .await?;
    let Some(newest) = newest else {
        return Ok(None);
    };
    match checkpoint {
        Some(id) if id != newest.id => {
            let named: Option<Row> = sqlx::query_as(
                "SELECT thread_id, seq, id, run_id, parent, namespace, step, keys, body
                 FROM checkpoints
                 WHERE thread_id = $1 AND namespace = $2 AND id = $3
                 ORDER BY seq DESC LIMIT 1",
            )
            .bind(&newest.thread_id)
            .bind(namespace)
            .bind(id)
            .fetch_optional(&mut *conn)
            .await?;
            match named {
                Some(named) => Ok(Some(snapshot(conn, named, BTreeMap::new()).await?)),
                None => Ok(None),
            }
        }
        Some(_) | None => {
            // The answers are to questions that surfaced, and those are the root's.
            let answers = match namespace {
                "" => answers(conn, run).await?,
                _ => BTreeMap::new(),
            };
            Ok(Some(snapshot(conn, newest, answers).await?))
        }
    }
}

/// All checkpoints of a namespace, newest first.
pub(super) async fn all(
    conn: &mut Conn,
    run: &RunId,
    namespace: &str,
) -> Result<Vec<StoredSnapshot>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT checkpoints.thread_id, seq, checkpoints.id, run_id, parent, namespace, step, keys,
                body
         FROM checkpoints JOIN runs ON runs.thread_id = checkpoints.thread_id
         WHERE runs.id = $1 AND namespace = $2
         ORDER BY seq DESC",
    )
    .bind(run.as_str())
    .bind(namespace)
    .fetch_all(&mut *conn)
    .await?;
    let mut history = Vec::with_capacity(rows.len());
    for row in rows {
        history.push(snapshot(conn, row, BTreeMap::new()).await?);
    }
    Ok(history)
}

async fn snapshot(
    conn: &mut Conn,
    row: Row,
    answers: BTreeMap<String, Value>,
) -> Result<StoredSnapshot, StoreError> {
    let writes: Vec<String> = sqlx::query_scalar(
        "SELECT body FROM pending_writes WHERE thread_id = $1 AND checkpoint = $2 ORDER BY task_id",
    )
    .bind(&row.thread_id)
    .bind(row.seq)
    .fetch_all(&mut *conn)
    .await?;
    let keys: Vec<String> = from_json("state keys", &row.keys)?;
    let mut values = BTreeMap::new();
    for key in keys {
        if let Some(value) = value(conn, &row, &key).await? {
            values.insert(key, value);
        }
    }
    Ok(StoredSnapshot {
        checkpoint: StoredCheckpoint {
            id: row.id,
            run: RunId::existing(row.run_id),
            parent: row.parent,
            namespace: row.namespace,
            step: row.step,
            body: from_json("checkpoint", &row.body)?,
            values,
        },
        writes: writes
            .iter()
            .map(|body| from_json("pending write", body))
            .collect::<Result<_, StoreError>>()?,
        answers,
    })
}

const NEWEST: &str = "SELECT seq, start, value FROM state_values
     WHERE thread_id = $1 AND namespace = $2 AND key = $3 AND seq < $4
     ORDER BY seq DESC LIMIT 1";
const BACK_TO_WHOLE: &str = "SELECT seq, start, value FROM state_values
     WHERE thread_id = $1 AND namespace = $2 AND key = $3 AND seq < $4 AND seq >= COALESCE(
       (SELECT MAX(seq) FROM state_values
        WHERE thread_id = $1 AND namespace = $2 AND key = $3 AND seq < $4 AND start = 0), 0)
     ORDER BY seq DESC";

/// The value of a key at a checkpoint: read backwards to where it was last whole.
async fn value(conn: &mut Conn, row: &Row, key: &str) -> Result<Option<Value>, StoreError> {
    let (mut parts, mut before) = (Vec::new(), row.seq + 1);
    // A plain value is the first row; only a list that grew needs more.
    for rows in [NEWEST, BACK_TO_WHOLE] {
        let rows: Vec<(i64, i64, String)> = sqlx::query_as(rows)
            .bind(&row.thread_id)
            .bind(&row.namespace)
            .bind(key)
            .bind(before)
            .fetch_all(&mut *conn)
            .await?;
        for (seq, start, value) in rows {
            before = seq;
            let value: Value = from_json("state value", &value)?;
            match (value, parts.is_empty()) {
                (value, true) if start == 0 => return Ok(Some(value)),
                (Value::Array(entries), _) => parts.push(entries),
                (_, _) => return Ok(None),
            }
            if start == 0 {
                return Ok(Some(parts.into_iter().rev().flatten().collect()));
            }
        }
    }
    Ok(None)
}

async fn answers(conn: &mut Conn, run: &RunId) -> Result<BTreeMap<String, Value>, StoreError> {
    let answers: Vec<(String, String)> = sqlx::query_as(
        "SELECT id, answer FROM interrupts
         WHERE run_id = $1 AND answer IS NOT NULL AND consumed_at IS NULL",
    )
    .bind(run.as_str())
    .fetch_all(&mut *conn)
    .await?;
    let answers = answers.into_iter().map(|(id, answer)| Ok((id, from_json("answer", &answer)?)));
    answers.collect()
}
