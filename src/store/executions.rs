//! Executions: ordered, claimed, started under a warrant, ended once.

use super::{Store, StoreError};
use crate::approval::{ExecutionState, Sealed, StartRefusal, Terms, Warrant};
use crate::base::{ExecutionId, RequestId, RunId, Span, Timestamp, WorkspaceId};

/// What a claimed execution needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NextStep {
    /// [`Store::start_execution`], then call the tool.
    Start,
    /// An earlier call may have taken effect, and its tool can be asked: probe first.
    Probe,
}

/// An execution that this worker holds until its lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedExecution {
    pub id: ExecutionId,
    pub workspace: WorkspaceId,
    pub request: Option<RequestId>,
    pub run: Option<RunId>,
    pub sealed: Sealed,
    /// The same for every attempt.
    pub key: String,
    pub epoch: u64,
    /// How often the call has begun.
    pub attempts: u64,
    pub start_by: Timestamp,
    pub next: NextStep,
}

/// How an execution stands, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionView {
    pub id: ExecutionId,
    pub state: ExecutionState,
    pub attempts: u64,
    pub start_by: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    /// The result when it succeeded; else why it failed, is unknown or was refused.
    pub note: Option<String>,
}

/// What only the configuration in force can say at the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartCheck {
    /// The policy rules the same or stricter for these arguments.
    pub policy_still_holds: bool,
    /// The tool is exactly the one in the envelope.
    pub tool_unchanged: bool,
}

/// Why a call may not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartRefused {
    /// It is settled: the run has its answer and the cards will say so.
    #[error("{0}")]
    Refused(StartRefusal),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    Succeeded { content: String },
    /// Certainly not applied.
    Failed { why: String },
    /// Perhaps applied. Never retried.
    Unknown { why: String },
}

impl Store {
    /// Takes at most `limit` executions that need work: ordered and due, or left by a worker whose
    /// lease has ended. Of the latter, those that may neither be repeated nor asked about become
    /// `unknown` here and are not handed out.
    pub async fn claim_executions(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
    ) -> Result<Vec<ClaimedExecution>, StoreError> {
        todo!("{owner} {lease} {limit}")
    }

    /// Keeps an execution for another `lease` from now.
    pub async fn renew_execution(
        &self,
        execution: &ExecutionId,
        epoch: u64,
        lease: Span,
    ) -> Result<(), StoreError> {
        todo!("{execution} {epoch} {lease}")
    }

    /// Reads everything again in the transaction that writes `started`, and grants the right to
    /// call the tool once. The call may begin only after this returned.
    pub async fn start_execution(
        &self,
        claimed: &ClaimedExecution,
        check: impl Fn(&Sealed, Option<&Terms>) -> StartCheck + Send + 'static,
    ) -> Result<Warrant, StartRefused> {
        let _ = check;
        todo!("{claimed:?}")
    }

    /// Writes the end of a call, answers the run and refreshes the cards.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when somebody took over; the result is then kept as evidence only.
    pub async fn finish_execution(
        &self,
        execution: &ExecutionId,
        epoch: u64,
        ended: Ended,
    ) -> Result<(), StoreError> {
        todo!("{execution} {epoch} {ended:?}")
    }

    /// The execution that a request led to, if any.
    pub async fn execution_of(
        &self,
        request: &RequestId,
    ) -> Result<Option<ExecutionView>, StoreError> {
        todo!("{request}")
    }

    /// The executions that have started and not ended: what the stop switch cannot call back.
    pub async fn executions_under_way(
        &self,
        workspace: &WorkspaceId,
    ) -> Result<Vec<ExecutionView>, StoreError> {
        todo!("{workspace}")
    }
}
