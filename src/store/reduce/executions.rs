//! Actions that ended, and their results.

use super::records::{self, Rest};
use crate::approval::Settled;
use crate::base::WorkspaceId;
use crate::store::rows::{big, from_json, json};
use crate::store::{StoreError, Tx};

/// An action, and what is to be left of it.
pub(super) struct Reduced {
    id: String,
    remains: String,
    /// What a human found out about it.
    settled: Option<String>,
    rests: Vec<Rest>,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    envelope: String,
    settled: Option<String>,
}

/// The action that a request led to.
pub(super) async fn of_request(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    request: &str,
) -> Result<Option<Reduced>, StoreError> {
    let row: Option<Row> =
        sqlx::query_as("SELECT id, envelope, settled FROM executions WHERE request_id = $1")
            .bind(request)
            .fetch_optional(&mut tx.conn)
            .await?;
    match row {
        Some(row) => Ok(Some(reduced(tx, workspace, row).await?)),
        None => Ok(None),
    }
}

/// Some of the actions of a run that nobody was asked about, because a rule allowed them.
pub(super) async fn allowed_in(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    run: &str,
    at_most: usize,
) -> Result<Vec<Reduced>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT id, envelope, settled FROM executions
         WHERE run_id = $1 AND request_id IS NULL AND reduced_at IS NULL ORDER BY id
         LIMIT $2",
    )
    .bind(run)
    .bind(big(at_most))
    .fetch_all(&mut tx.conn)
    .await?;
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push(reduced(tx, workspace, row).await?);
    }
    Ok(all)
}

async fn reduced(tx: &mut Tx, workspace: &WorkspaceId, row: Row) -> Result<Reduced, StoreError> {
    let sealed = tx.conn.opened(&row.envelope);
    let sealed = sealed.map_err(|error| StoreError::damaged("envelope", error))?;
    let settled = row.settled.as_deref().map(|text| from_json::<Settled>("finding", text));
    let settled = settled.transpose()?.map(|settled| json(&settled.reduced())).transpose()?;
    let mut rests = records::of(tx, workspace, &row.id).await?;
    if let Some(settled) = &settled {
        rests.iter_mut().for_each(|rest| rest.set_hash_of("settled_hash", settled));
    }
    let remains = json(&sealed.envelope().clone().reduced())?;
    Ok(Reduced { id: row.id, remains, settled, rests })
}

impl Reduced {
    /// Gives back what is left of its records.
    pub(super) async fn write(self, tx: &mut Tx) -> Result<Vec<Rest>, StoreError> {
        sqlx::query(
            "UPDATE executions SET envelope = $2, note = NULL, note_hash = NULL, settled = $3,
                    reduced_at = $4
             WHERE id = $1",
        )
        .bind(self.id)
        .bind(self.remains)
        .bind(self.settled)
        .bind(tx.now.as_millis())
        .execute(&mut tx.conn)
        .await?;
        Ok(self.rests)
    }
}
