//! A restore that has begun and is not over. Which backup it is of and what it has ended so far stands
//! in a row beside the deliveries, so that one which broke off goes on, and no desk starts before.

use serde::{Deserialize, Serialize};

use super::Voided;
use crate::base::{Timestamp, WorkspaceId};
use crate::store::rows::{from_json, json};
use crate::store::{Conn, StoreError, Tx};

const KEY: &str = "restore";

/// A restore that is not over.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Begun {
    /// Where the log of the backup ends.
    pub(super) to: Timestamp,
    pub(super) voided: Voided,
}

pub(super) async fn of(
    conn: &mut Conn,
    workspace: &WorkspaceId,
) -> Result<Option<Begun>, StoreError> {
    let row: Option<String> =
        sqlx::query_scalar("SELECT verdict FROM intake WHERE workspace = $1 AND key = $2")
            .bind(workspace.as_str())
            .bind(KEY)
            .fetch_optional(conn)
            .await?;
    row.map(|verdict| from_json("restore", &verdict)).transpose()
}

/// Writes down how far it has come.
pub(super) async fn keep(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    begun: &Begun,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO intake (workspace, key, body_hash, received_at, verdict)
         VALUES ($1, $2, '', $3, $4)
         ON CONFLICT (workspace, key) DO UPDATE SET verdict = excluded.verdict",
    )
    .bind(workspace.as_str())
    .bind(KEY)
    .bind(tx.now.as_millis())
    .bind(json(begun)?)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// It is over.
pub(super) async fn end(tx: &mut Tx, workspace: &WorkspaceId) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM intake WHERE workspace = $1 AND key = $2")
        .bind(workspace.as_str())
        .bind(KEY)
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

/// Has a restore of this database, for whichever workspace, begun without coming to its end?
pub(in crate::store) async fn is_any(conn: &mut Conn) -> Result<bool, StoreError> {
    let begun: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM intake
         WHERE key = $1 AND workspace IN (SELECT workspace FROM audit_heads)",
    )
    .bind(KEY)
    .fetch_one(conn)
    .await?;
    Ok(begun > 0)
}
