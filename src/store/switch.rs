//! The stop switch: while it is on, nothing starts.

use serde_json::json;

use super::rows::instant;
use super::{Conn, Store, StoreError, Tx};
use crate::audit::{self, Entry};
use crate::base::{Timestamp, WorkspaceId};

/// How the switch of a workspace stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Switch {
    pub position: SwitchPosition,
    pub by: String,
    pub reason: String,
    pub since: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SwitchPosition {
    Stopped,
    Going,
}

impl Store {
    /// After this no execution starts.
    pub async fn stop(
        &self,
        workspace: &WorkspaceId,
        by: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.turn_switch(workspace, SwitchPosition::Stopped, by, reason).await
    }

    /// Lets executions start again.
    pub async fn start(
        &self,
        workspace: &WorkspaceId,
        by: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.turn_switch(workspace, SwitchPosition::Going, by, reason).await
    }

    /// Absent when it was never touched: then everything goes.
    pub async fn switch(&self, workspace: &WorkspaceId) -> Result<Option<Switch>, StoreError> {
        read(&mut self.reader().await?, workspace).await
    }

    async fn turn_switch(
        &self,
        workspace: &WorkspaceId,
        position: SwitchPosition,
        by: &str,
        reason: &str,
    ) -> Result<(), StoreError> {
        let (workspace, by, reason) = (workspace.clone(), by.to_owned(), reason.to_owned());
        self.write(move |tx| {
            Box::pin(async move { turn(tx, &workspace, position, &by, &reason).await })
        })
        .await
    }
}

pub(super) async fn read(
    conn: &mut Conn,
    workspace: &WorkspaceId,
) -> Result<Option<Switch>, StoreError> {
    let row: Option<(i64, String, String, i64)> = sqlx::query_as(
        "SELECT stopped, by_whom, reason, changed_at FROM switches WHERE workspace = $1",
    )
    .bind(workspace.as_str())
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|(stopped, by, reason, since)| Switch {
        // Anything but a clear 0 stops.
        position: if stopped == 0 { SwitchPosition::Going } else { SwitchPosition::Stopped },
        by,
        reason,
        since: instant(since),
    }))
}

pub(super) async fn turn(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    position: SwitchPosition,
    by: &str,
    reason: &str,
) -> Result<(), StoreError> {
    let (stopped, kind) = match position {
        SwitchPosition::Stopped => (1_i64, "switch.stopped"),
        SwitchPosition::Going => (0_i64, "switch.started"),
    };
    sqlx::query(
        "INSERT INTO switches (workspace, stopped, by_whom, reason, changed_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (workspace) DO UPDATE SET stopped = excluded.stopped,
           by_whom = excluded.by_whom, reason = excluded.reason, changed_at = excluded.changed_at",
    )
    .bind(workspace.as_str())
    .bind(stopped)
    .bind(by)
    .bind(reason)
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    let body = json!({ "by": by, "reason": reason });
    audit::append(tx, Entry { workspace, kind, subject: workspace.as_str(), body }).await
}
