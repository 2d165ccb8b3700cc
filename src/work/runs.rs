//! Runs go on: an agent's graph from where it stands to its next question or its end.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use super::recorder::Recorder;
use super::{Loop, Work, lease};
use crate::agent;
use crate::approval::{Requester, Standing};
use crate::base::Span;
use crate::desk::{Asker, Desk, Occasion};
use crate::graph::{
    Checkpoint, Input, Limits, RunEnd, RunError, SaveError, Saver, Snapshot, Turn, TurnStatus,
};
use crate::slack::texts;
use crate::store::{ClaimedRun, Ending, NewCheckpoint, NewNotice, NewWrites, SaveTurn, StoreError};
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
        let saver = TurnSaver {
            desk,
            run: &claimed,
            recorder: &recorder,
            last: tokio::sync::Mutex::default(),
            asker: Asker {
                workspace: desk.workspace.clone(),
                run: claimed.id.clone(),
                agent: agent.clone(),
                requester,
            },
        };
        let limits = Limits::of_run(claimed.id.as_str()).supersteps(desk.config.limits.recursion);
        let run = worker.graph.run(Input::Restart(input), &saver, recorder.clone(), limits);
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
fn reply(run: &ClaimedRun, text: &str) -> NewNotice {
    NewNotice {
        workspace: run.workspace.clone(),
        request: None,
        run: Some(run.id.clone()),
        kind: "reply".to_owned(),
        body: json!({ "text": text }),
    }
}

/// Keeps the turns of one run: each superstep, with all it entails, is one transaction.
struct TurnSaver<'a> {
    desk: &'a Desk,
    run: &'a ClaimedRun,
    recorder: &'a Recorder,
    /// The turn that ends or suspends the run. It is kept once the graph has told its last, so that
    /// the end is the last thing in the log and in the same commit.
    last: tokio::sync::Mutex<Option<SaveTurn>>,
    asker: Asker,
}

impl Saver for TurnSaver<'_> {
    fn load(&self) -> BoxFuture<'_, Result<Option<Snapshot>, SaveError>> {
        async move {
            let stored =
                self.desk.store.load_snapshot(&self.run.id).await.map_err(SaveError::new)?;
            let Some(stored) = stored else {
                return Ok(None);
            };
            let checkpoint: Checkpoint =
                serde_json::from_value(stored.checkpoint.body).map_err(SaveError::new)?;
            let writes = stored
                .writes
                .into_iter()
                .map(serde_json::from_value)
                .collect::<Result<_, _>>()
                .map_err(SaveError::new)?;
            Ok(Some(Snapshot { checkpoint, writes, answers: stored.answers }))
        }
        .boxed()
    }

    fn save(&self, turn: Turn) -> BoxFuture<'_, Result<(), SaveError>> {
        async move {
            let turn = self.turn(turn)?;
            self.keep_last().await.map_err(SaveError::new)?;
            if turn.ending.is_some() {
                *self.last.lock().await = Some(turn);
                return Ok(());
            }
            self.keep(turn).await.map_err(SaveError::new)
        }
        .boxed()
    }
}

impl TurnSaver<'_> {
    /// Keeps a turn with all that was told until now.
    async fn keep(&self, mut turn: SaveTurn) -> Result<(), StoreError> {
        let (next, events) = self.recorder.take().await;
        turn.events = events;
        let kept = self.desk.store.save_turn(turn).await;
        drop(next);
        kept
    }

    async fn keep_last(&self) -> Result<(), StoreError> {
        match self.last.lock().await.take() {
            Some(turn) => self.keep(turn).await,
            None => Ok(()),
        }
    }

    fn turn(&self, turn: Turn) -> Result<SaveTurn, SaveError> {
        let ending = match turn.status {
            TurnStatus::Continues | TurnStatus::Failed => None,
            TurnStatus::Interrupted | TurnStatus::Paused => Some(Ending::Waiting),
            TurnStatus::Finished => Some(Ending::Done),
        };
        let said = turn.checkpoint.as_ref().filter(|_| turn.status == TurnStatus::Finished);
        let notices = said
            .and_then(agent::last_words)
            .map(|text| vec![reply(self.run, &text)])
            .unwrap_or_default();
        let questions = turn
            .interrupts
            .iter()
            .map(|interrupt| {
                let at = Occasion { now: self.desk.clock.now(), ids: self.desk.ids.as_ref() };
                self.desk.gate.question(&self.asker, &interrupt.id, &interrupt.value, at)
            })
            .collect();
        let writes = turn
            .writes
            .iter()
            .map(|writes| {
                let body = serde_json::to_value(writes)?;
                Ok(NewWrites { task: writes.task.clone(), body })
            })
            .collect::<Result<_, serde_json::Error>>()
            .map_err(SaveError::new)?;
        let checkpoint = turn.checkpoint.map(stored).transpose().map_err(SaveError::new)?;
        Ok(SaveTurn {
            run: self.run.id.clone(),
            epoch: self.run.epoch,
            checkpoint,
            writes,
            consumed: turn.consumed,
            questions,
            notices,
            events: Vec::new(),
            ending,
        })
    }
}

fn stored(checkpoint: Checkpoint) -> Result<NewCheckpoint, serde_json::Error> {
    Ok(NewCheckpoint {
        id: checkpoint.id.clone(),
        parent: checkpoint.parent.clone(),
        namespace: checkpoint.namespace.clone(),
        step: checkpoint.step,
        body: serde_json::to_value(checkpoint)?,
    })
}
