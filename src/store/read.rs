//! Lists for people: the Home tab, `/countersign`, the command line.

use super::{Store, StoreError, StoredRequest};
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
    /// Absent at the end.
    pub next: Option<Cursor>,
}

impl Store {
    /// What waits for somebody, oldest first.
    pub async fn pending_requests(
        &self,
        workspace: &WorkspaceId,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        todo!("{workspace} {after:?} {limit}")
    }

    /// What a person asked for, newest first.
    pub async fn requests_of(
        &self,
        workspace: &WorkspaceId,
        requester: &PersonId,
        limit: usize,
    ) -> Result<Vec<StoredRequest>, StoreError> {
        todo!("{workspace} {requester} {limit}")
    }

    /// Every request, newest first.
    pub async fn all_requests(
        &self,
        workspace: &WorkspaceId,
        before: Option<&Cursor>,
        limit: usize,
    ) -> Result<Page, StoreError> {
        todo!("{workspace} {before:?} {limit}")
    }
}
