//! The log as JSON Lines, for whoever keeps evidence elsewhere.

use std::io::Write;

use super::chain::Record;
use crate::base::{Timestamp, WorkspaceId};
use crate::store::{Conn, Store, StoreError, big, count};

/// How many records are read at a time.
const PAGE: i64 = 1_000;

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the export could not be written: {0}")]
    Write(#[from] std::io::Error),
}

/// Writes every record, one JSON object a line, oldest first; says how many there were.
pub async fn export(store: &Store, out: &mut (dyn Write + Send)) -> Result<u64, ExportError> {
    let mut snapshot = store.snapshot().await?;
    let mut written = 0;
    for workspace in workspaces(&mut snapshot).await? {
        let mut after = 0;
        loop {
            let page = page(&mut snapshot, &workspace, after).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            for record in &page {
                serde_json::to_writer(&mut *out, record).map_err(std::io::Error::from)?;
                out.write_all(b"\n")?;
                written += 1;
            }
        }
    }
    Ok(written)
}

/// What the log says of a request and of its execution, or of an execution alone, oldest first.
pub async fn story(store: &Store, subject: &str) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<RecordRow> = sqlx::query_as(
        "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by
         FROM audit
         WHERE subject = $1 OR subject IN (SELECT id FROM executions WHERE request_id = $1)
         ORDER BY workspace, seq",
    )
    .bind(subject)
    .fetch_all(&mut store.reader().await?)
    .await?;
    rows.into_iter().map(Record::try_from).collect()
}

/// Every workspace that the log knows.
pub(super) async fn workspaces(conn: &mut Conn) -> Result<Vec<String>, StoreError> {
    let found = sqlx::query_scalar(
        "SELECT workspace FROM audit UNION SELECT workspace FROM audit_heads ORDER BY 1",
    );
    Ok(found.fetch_all(conn).await?)
}

/// The records of a workspace after a sequence number, as they stand.
pub(crate) async fn page(
    conn: &mut Conn,
    workspace: &str,
    after: u64,
) -> Result<Vec<Record>, StoreError> {
    let rows: Vec<RecordRow> = sqlx::query_as(
        "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by
         FROM audit
         WHERE workspace = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind(workspace)
    .bind(big(after))
    .bind(PAGE)
    .fetch_all(conn)
    .await?;
    rows.into_iter().map(Record::try_from).collect()
}

/// A record as it is read.
#[derive(sqlx::FromRow)]
pub(crate) struct RecordRow {
    workspace: String,
    seq: i64,
    at: i64,
    kind: String,
    subject: String,
    pub(crate) body: String,
    prev_hash: String,
    hash: String,
    reduced_by: Option<i64>,
}

impl TryFrom<RecordRow> for Record {
    type Error = StoreError;

    fn try_from(row: RecordRow) -> Result<Self, StoreError> {
        Ok(Self {
            workspace: WorkspaceId::existing(row.workspace),
            seq: count("audit record", row.seq)?,
            at: Timestamp::from_millis(row.at),
            kind: row.kind,
            subject: row.subject,
            body: row.body,
            prev_hash: row.prev_hash,
            hash: row.hash,
            reduced_by: row.reduced_by.map(|seq| count("audit record", seq)).transpose()?,
        })
    }
}
