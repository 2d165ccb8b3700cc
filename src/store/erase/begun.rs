//! Erasures that have begun and are not over. What could not be found again once a part is done stands
//! in a row beside the deliveries: which ids are one human, which conversations they had a part in, and
//! what stands for them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::audit::Who;
use crate::base::{PersonId, WorkspaceId};
use crate::store::rows::{from_json, json};
use crate::store::{Conn, StoreError, Tx};

/// An erasure that is not over.
#[derive(Clone, Debug)]
pub(super) struct Begun {
    pub(super) pseudonym: PersonId,
    pub(super) who: Who,
    pub(super) threads: BTreeSet<String>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    who: Who,
    threads: BTreeSet<String>,
}

/// The erasure of somebody that is not over, by any id of theirs or by what stands for them.
pub(super) async fn of(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    ids: &BTreeSet<String>,
) -> Result<Option<Begun>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT key, verdict FROM intake
         WHERE workspace = $1 AND key LIKE 'erasure:%' ORDER BY key",
    )
    .bind(workspace.as_str())
    .fetch_all(conn)
    .await?;
    for (key, verdict) in rows {
        let Kept { who, threads } = from_json("erasure", &verdict)?;
        let pseudonym = key.trim_start_matches("erasure:");
        if ids.contains(pseudonym) || !who.ids().is_disjoint(ids) {
            let pseudonym = PersonId::existing(pseudonym);
            return Ok(Some(Begun { pseudonym, who, threads }));
        }
    }
    Ok(None)
}

/// Writes down that an erasure begins. One of the same person that is not over goes on instead.
pub(super) async fn begin(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    begins: Begun,
) -> Result<Begun, StoreError> {
    let begun = match of(&mut tx.conn, workspace, &begins.who.ids()).await? {
        Some(mut begun) => {
            begun.threads.extend(begins.threads);
            begun
        }
        None => begins,
    };
    let kept = Kept { who: begun.who.clone(), threads: begun.threads.clone() };
    sqlx::query(
        "INSERT INTO intake (workspace, key, body_hash, received_at, verdict)
         VALUES ($1, $2, '', $3, $4)
         ON CONFLICT (workspace, key) DO UPDATE SET verdict = excluded.verdict",
    )
    .bind(workspace.as_str())
    .bind(key(&begun.pseudonym))
    .bind(tx.now.as_millis())
    .bind(json(&kept)?)
    .execute(&mut tx.conn)
    .await?;
    Ok(begun)
}

/// It is over.
pub(super) async fn end(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    pseudonym: &PersonId,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM intake WHERE workspace = $1 AND key = $2")
        .bind(workspace.as_str())
        .bind(key(pseudonym))
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

fn key(pseudonym: &PersonId) -> String {
    format!("erasure:{pseudonym}")
}
