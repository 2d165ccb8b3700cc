//! Lists for people: the Home tab, `/countersign`, the command line.

use super::rows::{big, count, instant};
use super::{Conn, Store, StoreError, StoredRequest, requests};
use crate::base::{PersonId, RequestId, Timestamp, WorkspaceId};

/// Where a list goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub asked_at: Timestamp,
    pub request: RequestId,
}

/// A part of a list.
#[derive(Clone, Debug)]
pub struct Page {
    pub requests: Vec<StoredRequest>,
    /// What belongs here and cannot be read. It must not hide the others.
    pub damaged: Vec<DamagedRequest>,
    /// Absent at the end.
    pub next: Option<Cursor>,
}

/// A request whose rows do not read as what this program writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DamagedRequest {
    pub id: RequestId,
    pub why: String,
}

/// The key of a request in a list: its age, then its id.
type Key = (String, i64);

impl Store {
    /// What waits for somebody, oldest first.
    pub async fn pending_requests(
        &self,
        workspace: &WorkspaceId,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let (asked_at, id) = after.map_or((i64::MIN, ""), key);
        let mut conn = self.snapshot().await?;
        let keys: Vec<Key> = sqlx::query_as(
            "SELECT id, asked_at FROM requests
             WHERE workspace = $1 AND outcome IS NULL
               AND (asked_at > $2 OR (asked_at = $2 AND id > $3))
             ORDER BY asked_at, id LIMIT $4",
        )
        .bind(workspace.as_str())
        .bind(asked_at)
        .bind(id)
        .bind(big(limit))
        .fetch_all(&mut conn)
        .await?;
        page(&mut conn, workspace, keys, limit).await
    }

    /// How many wait for somebody.
    pub async fn count_pending(&self, workspace: &WorkspaceId) -> Result<u64, StoreError> {
        let counted: i64 = sqlx::query_scalar(
            "SELECT COUNT(*) FROM requests WHERE workspace = $1 AND outcome IS NULL",
        )
        .bind(workspace.as_str())
        .fetch_one(&mut self.reader().await?)
        .await?;
        count("number of requests", counted)
    }

    /// What a person asked for, newest first.
    pub async fn requests_of(
        &self,
        workspace: &WorkspaceId,
        requester: &PersonId,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let mut conn = self.snapshot().await?;
        let keys: Vec<Key> = sqlx::query_as(
            "SELECT id, asked_at FROM requests WHERE workspace = $1 AND person = $2
             ORDER BY asked_at DESC, id DESC LIMIT $3",
        )
        .bind(workspace.as_str())
        .bind(requester.as_str())
        .bind(big(limit))
        .fetch_all(&mut conn)
        .await?;
        page(&mut conn, workspace, keys, limit).await
    }

    /// Every request, newest first.
    pub async fn all_requests(
        &self,
        workspace: &WorkspaceId,
        before: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        let (asked_at, id) = before.map_or((i64::MAX, ""), key);
        let mut conn = self.snapshot().await?;
        let keys: Vec<Key> = sqlx::query_as(
            "SELECT id, asked_at FROM requests
             WHERE workspace = $1 AND (asked_at < $2 OR (asked_at = $2 AND id < $3))
             ORDER BY asked_at DESC, id DESC LIMIT $4",
        )
        .bind(workspace.as_str())
        .bind(asked_at)
        .bind(id)
        .bind(big(limit))
        .fetch_all(&mut conn)
        .await?;
        page(&mut conn, workspace, keys, limit).await
    }
}

fn key(cursor: &Cursor) -> (i64, &str) {
    (cursor.asked_at.as_millis(), cursor.request.as_str())
}

async fn page(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    keys: Vec<Key>,
    limit: usize,
) -> Result<Page, StoreError> {
    let full = keys.len() == limit;
    let last = keys.last().filter(|_| full);
    let next = last.map(|(id, asked_at)| Cursor {
        asked_at: instant(*asked_at),
        request: RequestId::existing(id),
    });
    let mut page = Page { requests: Vec::with_capacity(keys.len()), damaged: Vec::new(), next };
    for (id, _) in keys {
        // A file is read on this thread, which has others to serve as well.
        tokio::task::coop::consume_budget().await;
        let id = RequestId::existing(id);
        match requests::stored(&mut *conn, workspace, &id).await {
            Ok(stored) => page.requests.extend(stored),
            Err(error @ StoreError::Damaged { .. }) => {
                page.damaged.push(DamagedRequest { id, why: error.to_string() });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(page)
}
