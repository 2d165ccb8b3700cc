//! Runs go on: an agent's graph from where it stands to its next question or its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use super::recorder::Recorder;
use super::stumble::Stumble;
use super::turns::TurnSaver;
use super::{Loop, Work, lease};
use crate::agent;
use crate::approval::Requester;
use crate::base::{Span, Timestamp};
use crate::desk::{Asker, Desk};
use crate::graph::{Input, RunEnd, RunError, RunOptions};
use crate::slack::client::SlackError;
use crate::slack::directory::NoRequester;
use crate::slack::texts;
use crate::store::{ClaimedRun, Definitions, NewNotice, StoreError, Watch};
use crate::stream::ErrorCode;

/// How often it is looked for runs of definitions that somebody does not have.
const PARKS_EVERY: Span = Span::minutes(1);

/// Drives runs that are queued.
pub struct Runs {
    desk: Arc<Desk>,
    known: Definitions,
    /// Not before.
    parks: Mutex<Timestamp>,
}

impl Runs {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { known: desk.definitions(), parks: Mutex::default(), desk }
    }

    /// Now and then leaves to others what only they can go on with, and says of what others would leave
    /// to us that we are here.
    async fn park(&self) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        let next = now.plus(PARKS_EVERY);
        let due = *self.parks();
        // One further away was set by a clock that has been set back since.
        if due > now && due <= next {
            return Ok(());
        }
        *self.parks() = next;
        let watch = if now <= due.plus(PARKS_EVERY) { Watch::Kept } else { Watch::Begins };
        let parked = self.desk.store.park_runs(&self.known, watch).await;
        if parked.is_err() {
            *self.parks() = due;
        }
        parked
    }

    fn parks(&self) -> MutexGuard<'_, Timestamp> {
        self.parks.lock().unwrap_or_else(PoisonError::into_inner)
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
        let recorder = Arc::new(Recorder::new(
            &claimed.id,
            &claimed.input.modes,
            desk.wake.clone(),
            desk.clock.clone(),
        ));
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
                self.try_later_or_fail(&claimed, Stumble::of(&error)).await
            }
        }
    }

    /// Asks the directory who wrote. Nothing when they are nobody we work for, or when the
    /// directory could not be asked and the run was given back.
    async fn requester(&self, claimed: &ClaimedRun) -> Result<Option<Requester>, StoreError> {
        let desk = &self.desk;
        let requester = match desk.directory.requester(&claimed.input.user).await {
            Ok(requester) => requester,
            Err(NoRequester::Unreachable(error)) => {
                self.ask_later(claimed, &error).await?;
                return Ok(None);
            }
            Err(NoRequester::Refused) => {
                let why = "the agent works only for people of this workspace";
                let code = ErrorCode::RequesterRefused;
                desk.store.fail_run(&claimed.id, claimed.epoch, code, why, None).await?;
                desk.wake.these(&[Loop::Runs, Loop::Deliveries, Loop::Streams]);
                return Ok(None);
            }
        };
        desk.store.name_requester(&claimed.id, claimed.epoch, &requester).await?;
        Ok(Some(requester))
    }

    /// The directory could not be asked. To wait for one's turn is no stumble, however long it takes:
    /// a hundred people may write at once.
    async fn ask_later(&self, claimed: &ClaimedRun, error: &SlackError) -> Result<(), StoreError> {
        match error.told_to_wait(self.desk.clock.now()) {
            Some(turn) => self.desk.store.put_off_run(&claimed.id, claimed.epoch, turn).await,
            None => self.try_later_or_fail(claimed, Stumble::nameless(error)).await,
        }
    }

    async fn try_later_or_fail(
        &self,
        claimed: &ClaimedRun,
        stumble: Stumble,
    ) -> Result<(), StoreError> {
        let error = stumble.error.as_str();
        tracing::warn!(run = %claimed.id, attempt = claimed.attempts, error, "a run stumbled");
        let Some(wait) = stumble.wait(claimed.attempts) else {
            let (text, code) = stumble.told(&claimed.thread.agent);
            return self.fail_saying(claimed, code, error, &text).await;
        };
        let retry_at = self.desk.clock.now().plus(wait);
        self.desk.store.release_run(&claimed.id, claimed.epoch, retry_at, error).await
    }

    async fn fail(
        &self,
        claimed: &ClaimedRun,
        code: ErrorCode,
        why: &str,
    ) -> Result<(), StoreError> {
        self.fail_saying(claimed, code, why, &texts::run_failed(&claimed.thread.agent)).await
    }

    /// `why` is for the record, `text` for the requester.
    async fn fail_saying(
        &self,
        claimed: &ClaimedRun,
        code: ErrorCode,
        why: &str,
        text: &str,
    ) -> Result<(), StoreError> {
        let notice = reply(claimed, text);
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
        async move {
            self.park().await?;
            self.desk.store.claim_runs(&self.desk.owner, lease::TIME, room, &self.known).await
        }
        .boxed()
    }

    fn work(&self, claimed: ClaimedRun) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            let (id, epoch) = (claimed.id.clone(), claimed.epoch);
            // Whoever has no room for long claims nothing, and is there all the same.
            let renew = || async {
                self.desk.store.renew_run(&id, epoch, lease::TIME).await?;
                self.park().await
            };
            lease::held(self.desk.clock.as_ref(), lease::RENEWED_EVERY, self.drive(claimed), renew)
                .await
        }
        .boxed()
    }
}

/// What a node of a configured graph tells the requester.
pub(super) fn message(run: &ClaimedRun, text: &str) -> NewNotice {
    NewNotice { kind: "message".to_owned(), ..reply(run, text) }
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
