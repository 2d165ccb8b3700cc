//! Writing a record, inside the transaction of what it records.

use serde_json::Value;

use super::chain::{GENESIS, Record};
use crate::base::WorkspaceId;
use crate::store::{StoreError, Tx, big, count, instant};

/// Something that happened, on its way into the log.
pub(crate) struct Entry<'a> {
    pub(crate) workspace: &'a WorkspaceId,
    /// `request.opened`, `execution.started`, …
    pub(crate) kind: &'a str,
    /// The request, run or execution it is about.
    pub(crate) subject: &'a str,
    pub(crate) body: Value,
}

/// Appends to the workspace's chain; the schema moves the chain's head along. When this fails, so
/// does the whole transaction.
pub(crate) async fn append(tx: &mut Tx, entry: Entry<'_>) -> Result<(), StoreError> {
    append_numbered(tx, entry).await?;
    Ok(())
}

/// The same, and gives back the record's number.
pub(crate) async fn append_numbered(tx: &mut Tx, entry: Entry<'_>) -> Result<u64, StoreError> {
    let head: Option<(i64, i64, String)> =
        sqlx::query_as("SELECT seq, at, hash FROM audit_heads WHERE workspace = $1")
            .bind(entry.workspace.as_str())
            .fetch_optional(&mut tx.conn)
            .await?;
    let (last, before, prev_hash) =
        head.unwrap_or_else(|| (0, tx.now.as_millis(), GENESIS.to_owned()));
    let mut body = entry.body;
    // The hash of a body that is gone must not let anybody find out by guessing what it said.
    if let Some(fields) = body.as_object_mut() {
        fields.insert("salt".to_owned(), tx.ids.token().into());
    }
    let body = serde_json_canonicalizer::to_string(&body)
        .map_err(|error| StoreError::damaged("audit record", error))?;
    let mut record = Record {
        workspace: entry.workspace.clone(),
        seq: count::<u64>("audit head", last)? + 1,
        // An operator's command beside the desk may have written last, by a clock of its own.
        at: tx.now.max(instant(before)),
        kind: entry.kind.to_owned(),
        subject: entry.subject.to_owned(),
        body,
        prev_hash,
        hash: String::new(),
        reduced_by: None,
    };
    record.hash = record.computed_hash();
    sqlx::query(
        "INSERT INTO audit (workspace, seq, at, kind, subject, body, prev_hash, hash)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(record.workspace.as_str())
    .bind(big(record.seq))
    .bind(record.at.as_millis())
    .bind(record.kind)
    .bind(record.subject)
    .bind(record.body)
    .bind(record.prev_hash)
    .bind(record.hash)
    .execute(&mut tx.conn)
    .await?;
    Ok(record.seq)
}
