//! The workspaces that a database belongs to, and since when a desk is open for them.

use serde_json::json;

use super::{Store, StoreError};
use crate::audit::{self, Entry};
use crate::base::WorkspaceId;

impl Store {
    /// Records that a desk was opened, by which version and with which policy in force.
    pub async fn opened(
        &self,
        workspace: &WorkspaceId,
        version: &'static str,
        policy_digest: &str,
    ) -> Result<(), StoreError> {
        let workspace = workspace.clone();
        let body = json!({ "version": version, "policy": policy_digest });
        self.write(move |tx| {
            Box::pin(async move {
                let subject = workspace.as_str();
                let entry = Entry { workspace: &workspace, kind: "desk.opened", subject, body };
                audit::append(tx, entry).await
            })
        })
        .await
    }

    /// Every workspace that a desk was ever opened for on this database.
    pub async fn workspaces(&self) -> Result<Vec<WorkspaceId>, StoreError> {
        let found: Vec<String> =
            sqlx::query_scalar("SELECT workspace FROM audit_heads ORDER BY workspace")
                .fetch_all(&mut self.reader().await?)
                .await?;
        Ok(found.into_iter().map(WorkspaceId::existing).collect())
    }
}
