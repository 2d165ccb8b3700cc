//! Approved actions run: each once, under a warrant.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Loop, Work, lease};
use crate::agent::{CallOutcome, ProbeOutcome, Tool};
use crate::approval::{Sealed, Terms, Warrant};
use crate::base::Span;
use crate::base::failpoint::{self, Point};
use crate::config::Retry;
use crate::desk::Desk;
use crate::store::{ClaimedExecution, Ended, NextStep, StartRefused, StoreError};

/// How often the end of a call is offered to a database that is away.
const TRIES: usize = 15;
const BETWEEN_TRIES: Span = Span::seconds(1);
/// A call that ends sooner is shown as ended at once: Slack counts every update.
const QUICK: Span = Span::seconds(1);

/// Starts what was ordered, and settles what broke off.
pub struct Executions {
    desk: Arc<Desk>,
}

impl Executions {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    async fn execute(&self, claimed: ClaimedExecution) -> Result<(), StoreError> {
        failpoint::reach(Point::ExecutionClaimed);
        let tool = &claimed.sealed.envelope().tool.name;
        if let Some(tool) = self.desk.gate.toolbox.get(tool) {
            tool.look().await;
        }
        let desk = self.desk.clone();
        let check =
            move |sealed: &Sealed, terms: Option<&Terms>| desk.gate.start_check(sealed, terms);
        let warrant = match self.desk.store.start_execution(&claimed, check).await {
            Ok(warrant) => warrant,
            Err(StartRefused::Refused(refusal)) => {
                tracing::warn!(execution = %claimed.id, %refusal, "an action may not start");
                self.desk.wake.these(&[Loop::Runs, Loop::Deliveries, Loop::Streams]);
                return Ok(());
            }
            Err(StartRefused::Store(error)) => return Err(error),
        };
        failpoint::reach(Point::StartCommitted);
        let ended = match self.desk.gate.toolbox.get(tool) {
            Some(tool) => run(tool.as_ref(), &warrant, claimed.next).await,
            None => Ended::Failed { why: "the tool is no longer configured".to_owned() },
        };
        failpoint::reach(Point::ToolAnswered);
        tracing::info!(execution = %claimed.id, tool, outcome = word(&ended), "an action ended");
        match self.keep(&claimed, ended).await {
            Ok(()) => {
                failpoint::reach(Point::EndCommitted);
                self.desk.wake.these(&[Loop::Runs, Loop::Deliveries, Loop::Streams]);
            }
            Err(StoreError::Fenced) => {
                tracing::error!(execution = %claimed.id, "ended after another worker took over");
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Writes down how a call ended. Without that nobody may know what it did, so a database that is
    /// away for a moment is waited for, about as long as the lease holds.
    async fn keep(&self, claimed: &ClaimedExecution, ended: Ended) -> Result<(), StoreError> {
        let finish = || self.desk.store.finish_execution(&claimed.id, claimed.epoch, ended.clone());
        let mut outcome = finish().await;
        for _ in 0..TRIES {
            match &outcome {
                Err(StoreError::Lost(_) | StoreError::Busy) => {
                    self.desk.clock.pause(BETWEEN_TRIES).await;
                    outcome = finish().await;
                }
                Err(StoreError::Unknown) => {
                    self.desk.clock.pause(BETWEEN_TRIES).await;
                    outcome = match finish().await {
                        // Either it was written then, or somebody else has it: nothing is left to do.
                        Err(StoreError::Fenced) => Ok(()),
                        other => other,
                    };
                }
                Ok(()) | Err(_) => break,
            }
        }
        outcome
    }
}

impl Work for Executions {
    type Claimed = ClaimedExecution;

    fn which(&self) -> Loop {
        Loop::Executions
    }

    fn claim(&self, room: usize) -> BoxFuture<'_, Result<Vec<ClaimedExecution>, StoreError>> {
        let desk = self.desk.clone();
        let window = move |sealed: &Sealed| remembered_for(&desk, &sealed.envelope().tool.name);
        self.desk.store.claim_executions(&self.desk.owner, lease::TIME, room, window).boxed()
    }

    fn work(&self, claimed: ClaimedExecution) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let (id, epoch) = (claimed.id.clone(), claimed.epoch);
            let renew = || self.desk.store.renew_execution(&id, epoch, lease::TIME);
            lease::held(self.desk.clock.as_ref(), QUICK, self.execute(claimed), renew).await
        }
        .boxed()
    }
}

/// How long the target of a keyed tool remembers our key; a tool that is gone remembers nothing.
fn remembered_for(desk: &Desk, tool: &str) -> Span {
    match desk.config.tools.get(tool).map(|tool| &tool.retry) {
        Some(Retry::Keyed { window }) => *window,
        Some(Retry::Pure | Retry::Probe(_) | Retry::Once) | None => Span::ZERO,
    }
}

async fn run(tool: &dyn Tool, warrant: &Warrant, next: NextStep) -> Ended {
    match next {
        NextStep::Start => call_ended(tool.call(warrant).await),
        NextStep::Probe => match tool.probe(warrant).await {
            ProbeOutcome::Applied { content } => Ended::Succeeded { content },
            ProbeOutcome::NotApplied => call_ended(tool.call(warrant).await),
            ProbeOutcome::Unknown { why } => Ended::Unknown { why },
        },
    }
}

fn call_ended(outcome: CallOutcome) -> Ended {
    match outcome {
        CallOutcome::Done { content } => Ended::Succeeded { content },
        CallOutcome::NotDone { why } => Ended::Failed { why },
        CallOutcome::Unknown { why } => Ended::Unknown { why },
    }
}

fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Succeeded { .. } => "succeeded",
        Ended::Failed { .. } => "failed",
        Ended::Unknown { .. } => "unknown",
    }
}
