//! Runs: claimed with a lease and an epoch, one at a time per conversation.

use super::{NewNotice, RunInput, Store, StoreError, Thread};
use crate::approval::Requester;
use crate::base::{RunId, Span, Timestamp, WorkspaceId};

/// A run that this worker holds until its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedRun {
    pub id: RunId,
    pub workspace: WorkspaceId,
    pub thread: Thread,
    /// The definition it started with.
    pub graph_hash: String,
    pub input: RunInput,
    /// Absent until the directory has named them.
    pub requester: Option<Requester>,
    /// Every write for this run must carry it.
    pub epoch: u64,
    /// How often it was claimed, this time included.
    pub attempts: u64,
}

impl Store {
    /// Takes at most `limit` runs that may go on: queued and due, or left by a worker whose lease
    /// has ended. Only the oldest unfinished run of a conversation; one that waits for a decision
    /// keeps the later ones waiting too.
    pub async fn claim_runs(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        todo!("{owner} {lease} {limit}")
    }

    /// Keeps a run for another `lease` from now.
    pub async fn renew_run(&self, run: &RunId, epoch: u64, lease: Span) -> Result<(), StoreError> {
        todo!("{run} {epoch} {lease}")
    }

    /// Writes down who asked, as the directory named them.
    pub async fn name_requester(
        &self,
        run: &RunId,
        epoch: u64,
        requester: &Requester,
    ) -> Result<(), StoreError> {
        todo!("{run} {epoch} {requester:?}")
    }

    /// Gives a run back, to be claimed again from `retry_at`.
    pub async fn release_run(
        &self,
        run: &RunId,
        epoch: u64,
        retry_at: Timestamp,
        error: &str,
    ) -> Result<(), StoreError> {
        todo!("{run} {epoch} {retry_at} {error}")
    }

    /// Ends a run that cannot go on, and owes its thread a word about it.
    pub async fn fail_run(
        &self,
        run: &RunId,
        epoch: u64,
        error: &str,
        notice: Option<NewNotice>,
    ) -> Result<(), StoreError> {
        todo!("{run} {epoch} {error} {notice:?}")
    }
}
