//! The workspace that a database belongs to, and since when a desk is open for it.

use serde_json::json;

use super::{Conn, Store, StoreError};
use crate::audit::{self, Entry};
use crate::base::WorkspaceId;

/// The first that anything was written down for.
const OWNER: &str = "SELECT workspace FROM audit_heads ORDER BY (SELECT at FROM audit
    WHERE audit.workspace = audit_heads.workspace AND audit.seq = 1), workspace LIMIT 1";

impl Store {
    /// Records that a desk was opened, by which version and with which policy in force.
    ///
    /// # Errors
    /// [`StoreError::Elsewhere`] when the database belongs to another workspace: what waits there
    /// would be shown to the wrong people, and decided by them.
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
                let theirs = owner(&mut tx.conn).await?;
                if let Some(theirs) = theirs.filter(|theirs| *theirs != workspace) {
                    return Err(StoreError::Elsewhere { theirs, ours: workspace });
                }
                let subject = workspace.as_str();
                let entry = Entry { workspace: &workspace, kind: "desk.opened", subject, body };
                audit::append(tx, entry).await
            })
        })
        .await
    }

    /// Whose this database is; nobody's before the first desk was opened on it.
    pub async fn workspace(&self) -> Result<Option<WorkspaceId>, StoreError> {
        owner(&mut self.reader().await?).await
    }
}

async fn owner(conn: &mut Conn) -> Result<Option<WorkspaceId>, StoreError> {
    let owner: Option<String> = sqlx::query_scalar(OWNER).fetch_optional(conn).await?;
    Ok(owner.map(WorkspaceId::existing))
}
