//! Runs go on: an agent's graph from where it stands to its next question or its end.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use super::recorder::Recorder;
use super::turns::TurnSaver;
use super::{Loop, Work, lease};
use crate::agent;
use crate::approval::{Requester, Standing};
use crate::base::Span;
use crate::desk::{Asker, Desk};
use crate::graph::{Input, RunEnd, RunError, RunOptions};
use crate::slack::texts;
use crate::store::{ClaimedRun, NewNotice, StoreError};
use crate::stream::ErrorCode;

/// How often a run is tried before its requester is told that it failed.
const ATTEMPTS: u64 = 4;

/// Drives runs that are queued.
pub struct Runs {
    desk: Arc<Desk>,
}

impl Runs {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk }
    }

    async fn drive(&self, claimed: ClaimedRun) -> Result<(), StoreError> {
        let desk = &self.desk;
        let agent = claimed.thread.agent.clone();
        let Some(worker) = desk.agents.get(&agent) else {
            let why = "the agent is no longer configured";
            return self.fail(&claimed, ErrorCode::AgentChanged, why).await;
        };
        if worker.graph.definition_hash() != claimed.graph_hash {
            let why = "the agent was changed while the run was waiting";
            return self.fail(&claimed, ErrorCode::AgentChanged, why).await;
        }
        let requester = match &claimed.requester {
            Some(requester) => requester.clone(),
            None => match self.requester(&claimed).await? {
                Some(requester) => requester,
                None => return Ok(()),
            },
        };
        let input = agent::agent_input(&claimed.input.text, Some(requester.name.clone()));
        let Ok(input) = input else {
            return self.fail(&claimed, ErrorCode::RunFailed, "the input is no text").await;
        };
        let recorder = Arc::new(Recorder::new(claimed.input.modes.clone(), desk.wake.clone()));
        let claimed = Arc::new(claimed);
        let asker = Asker {
            workspace: desk.workspace.clone(),
            run: claimed.id.clone(),
            agent: agent.clone(),
            requester,
        };
        let (whose, told) = (Arc::clone(&claimed), Arc::clone(&recorder));
        let saver = Arc::new(TurnSaver::new(Arc::clone(desk), whose, told, asker));
        let options =
            RunOptions::of_run(claimed.id.as_str()).supersteps(desk.config.limits.recursion);
        let (input, kept) = (Input::Restart(input), saver.clone());
        let run = worker.graph.run(input, kept, recorder.clone(), options);
        let ended = recorder.keeping(&desk.store, &claimed, run).await?;
        saver.keep_last().await?;
        match ended {
            Ok(RunEnd::Finished { .. } | RunEnd::Interrupted { .. } | RunEnd::Paused { .. }) => {
                desk.wake.these(&[Loop::Runs, Loop::Executions, Loop::Deliveries, Loop::Streams]);
                Ok(())
            }
            Err(RunError::Save(error)) => {
                Err(error.downcast_ref::<StoreError>().cloned().unwrap_or(StoreError::Fenced))
            }
            Err(error) => {
                let (_next, events) = recorder.take().await;
                desk.store.tell(&claimed.id, claimed.epoch, events).await?;
                self.try_later_or_fail(&claimed, &chain(&error)).await
            }
        }
    }

    /// Asks the directory who wrote. Nothing when they are nobody we work for, or when the
    /// directory could not be asked and the run was given back.
    async fn requester(&self, claimed: &ClaimedRun) -> Result<Option<Requester>, StoreError> {
        let desk = &self.desk;
        let person = desk.directory.person(&claimed.input.user).await;
        match person.standing {
            Standing::Member | Standing::Guest => {}
            Standing::Unreachable => {
                self.try_later_or_fail(claimed, "the directory could not be asked").await?;
                return Ok(None);
            }
            Standing::Deactivated | Standing::Bot | Standing::Outsider | Standing::Unknown => {
                let why = "the agent works only for people of this workspace";
                let code = ErrorCode::RequesterRefused;
                desk.store.fail_run(&claimed.id, claimed.epoch, code, why, None).await?;
                return Ok(None);
            }
        }
        let requester =
            Requester { person: person.person, user: person.user, name: person.name, owner: None };
        desk.store.name_requester(&claimed.id, claimed.epoch, &requester).await?;
        Ok(Some(requester))
    }

    async fn try_later_or_fail(&self, claimed: &ClaimedRun, error: &str) -> Result<(), StoreError> {
        tracing::warn!(run = %claimed.id, attempt = claimed.attempts, error, "a run stumbled");
        if claimed.attempts >= ATTEMPTS {
            return self.fail(claimed, ErrorCode::RunFailed, error).await;
        }
        let wait =
            Span::seconds(2_u32.saturating_pow(u32::try_from(claimed.attempts).unwrap_or(8)));
        let retry_at = self.desk.clock.now().plus(wait);
        self.desk.store.release_run(&claimed.id, claimed.epoch, retry_at, error).await
    }

    async fn fail(
        &self,
        claimed: &ClaimedRun,
        code: ErrorCode,
        why: &str,
    ) -> Result<(), StoreError> {
        let text = texts::run_failed(&claimed.thread.agent);
        let notice = reply(claimed, &text);
        self.desk.store.fail_run(&claimed.id, claimed.epoch, code, why, Some(notice)).await?;
        self.desk.wake.these(&[Loop::Runs, Loop::Deliveries, Loop::Streams]);
        Ok(())
    }
}

impl Work for Runs {
    type Claimed = ClaimedRun;

    fn which(&self) -> Loop {
        Loop::Runs
    }

    fn claim(&self, room: usize) -> BoxFuture<'_, Result<Vec<ClaimedRun>, StoreError>> {
        self.desk.store.claim_runs(&self.desk.owner, lease::TIME, room).boxed()
    }

    fn work(&self, claimed: ClaimedRun) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let (id, epoch) = (claimed.id.clone(), claimed.epoch);
            let renew = || self.desk.store.renew_run(&id, epoch, lease::TIME);
            lease::held(self.drive(claimed), renew).await
        }
        .boxed()
    }
}

/// An error with its causes: the run's own text says only which node failed. For the log and the
/// database; people in Slack are told that it failed, not how.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A word of the agent to the thread.
pub(super) fn reply(run: &ClaimedRun, text: &str) -> NewNotice {
    NewNotice {
        workspace: run.workspace.clone(),
        request: None,
        run: Some(run.id.clone()),
        kind: "reply".to_owned(),
        body: json!({ "text": text }),
    }
}
