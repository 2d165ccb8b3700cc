//! Approved actions run: each once, under a warrant.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::lease::{self, Held};
use super::{Loop, Work};
use crate::agent::{CallOutcome, ProbeOutcome, Tool};
use crate::approval::{RetryClass, Sealed, Terms, Warrant};
use crate::base::Span;
use crate::base::failpoint::{self, Point};
use crate::config::Retry;
use crate::desk::Desk;
use crate::store::{ClaimedExecution, Ended, Finished, NextStep, StartRefused, StoreError};

/// How often the end of a call is offered to a database that is away, or has no room.
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

    async fn execute(&self, claimed: ClaimedExecution, held: &Held) -> Result<(), StoreError> {
        failpoint::reach(Point::ExecutionClaimed);
        let tool = &claimed.sealed.envelope().tool.name;
        if let Some(tool) = self.desk.gate.toolbox.get(tool) {
            tool.look().await;
        }
        let desk = self.desk.clone();
        let check =
            move |sealed: &Sealed, terms: Option<&Terms>| desk.gate.start_check(sealed, terms);
        let start = self.desk.store.start_execution(&claimed, lease::TIME, check);
        let warrant = match held.anew(start).await {
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
            Some(tool) => run(tool.as_ref(), &warrant, &claimed, held).await,
            None => Some(Ended::Failed { why: "the tool is no longer configured".to_owned() }),
        };
        let Some(ended) = ended else {
            tracing::error!(execution = %claimed.id, tool, "stood still past its lease, so it calls nobody");
            return Ok(());
        };
        failpoint::reach(Point::ToolAnswered);
        tracing::info!(execution = %claimed.id, tool, outcome = word(&ended), "a call ended");
        match self.keep(&claimed, ended).await {
            Ok(finished) => {
                failpoint::reach(Point::EndCommitted);
                if finished == Finished::LeftUnanswered {
                    tracing::warn!(execution = %claimed.id, tool, "no answer came; its retry class settles it");
                }
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
    async fn keep(&self, claimed: &ClaimedExecution, ended: Ended) -> Result<Finished, StoreError> {
        let finish = || self.desk.store.finish_execution(claimed, lease::TIME, ended.clone());
        let mut outcome = finish().await;
        for _ in 0..TRIES {
            match &outcome {
                Err(StoreError::Lost(_) | StoreError::Busy | StoreError::Full) => {
                    self.desk.clock.pause(BETWEEN_TRIES).await;
                    outcome = finish().await;
                }
                Err(StoreError::Unknown) => {
                    self.desk.clock.pause(BETWEEN_TRIES).await;
                    outcome = match finish().await {
                        // Either it was written then, or somebody else has it: nothing is left to do.
                        Err(StoreError::Fenced) => Ok(Finished::Ended),
                        other => other,
                    };
                }
                Ok(_) | Err(_) => break,
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
            let held = Held::new(self.desk.clock.clone());
            let renew = || held.anew(self.desk.store.renew_execution(&id, epoch, lease::TIME));
            let work = self.execute(claimed, &held);
            lease::held(self.desk.clock.as_ref(), QUICK, work, renew).await
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

/// Nothing, if it may no longer call because somebody else may do so by now.
async fn run(
    tool: &dyn Tool,
    warrant: &Warrant,
    claimed: &ClaimedExecution,
    held: &Held,
) -> Option<Ended> {
    match claimed.next {
        NextStep::Start => call(tool, warrant, claimed, held).await,
        NextStep::Probe => match tool.probe(warrant).await {
            ProbeOutcome::Applied { content } => Some(Ended::Succeeded { content }),
            ProbeOutcome::NotApplied => call(tool, warrant, claimed, held).await,
            ProbeOutcome::Unknown { why } => Some(Ended::Unanswered { why }),
        },
    }
}

async fn call(
    tool: &dyn Tool,
    warrant: &Warrant,
    claimed: &ClaimedExecution,
    held: &Held,
) -> Option<Ended> {
    if !held.holds() {
        return None;
    }
    Some(match (tool.call(warrant).await, tool.facts().retry) {
        (CallOutcome::Done { content }, _) => Ended::Succeeded { content },
        // That a repetition is refused says nothing of the call before it, which may have been late: the
        // target may refuse it because it has been done.
        (CallOutcome::NotDone { why }, RetryClass::Keyed | RetryClass::Probe)
            if claimed.attempts > 0 =>
        {
            Ended::Unanswered { why }
        }
        (CallOutcome::NotDone { why }, _) => Ended::Failed { why },
        (CallOutcome::Unknown { why }, _) => Ended::Unanswered { why },
    })
}

fn word(ended: &Ended) -> &'static str {
    match ended {
        Ended::Succeeded { .. } => "succeeded",
        Ended::Failed { .. } => "failed",
        Ended::Unanswered { .. } => "unanswered",
    }
}
