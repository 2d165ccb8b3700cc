//! Runs go on: an agent's graph from where it stands to its next question or its end.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::json;

use super::recorder::Recorder;
use super::stumble::Stumble;
use super::{Loop, Work, lease};
use crate::agent;
use crate::approval::{Requester, Standing};
use crate::desk::{Asker, Desk, Occasion};
use crate::graph::{
    Checkpoint, Input, Limits, RunEnd, RunError, SaveError, Saver, Snapshot, Turn, TurnStatus,
};
use crate::slack::texts;
use crate::store::{
    ClaimedRun, Ending, KnownQuestions, NewCheckpoint, NewNotice, NewWrites, SaveTurn, StoreError,
};
use crate::stream::ErrorCode;

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
        let recorder = Arc::new(Recorder::new(claimed.input.modes.clone()));
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
        let ended = recorder.keeping(&desk.store, &claimed, run).await;
        saver.keep_last().await?;
        match ended {
            Ok(RunEnd::Finished { .. } | RunEnd::Interrupted { .. } | RunEnd::Paused { .. }) => {
                desk.wake.these(&[Loop::Runs, Loop::Executions, Loop::Deliveries]);
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
        let person = desk.directory.person(&claimed.input.user).await;
        match person.standing {
            Standing::Member | Standing::Guest => {}
            Standing::Unreachable => {
                let stumble = Stumble::new("the directory could not be asked");
                self.try_later_or_fail(claimed, stumble).await?;
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
        self.desk.wake.these(&[Loop::Runs, Loop::Deliveries]);
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
            let known = match turn.interrupts.as_slice() {
                [] => KnownQuestions::default(),
                _ => self.desk.store.known_questions(&self.run.id).await.map_err(SaveError::new)?,
            };
            self.desk.gate.look(&turn.interrupts).await;
            let turn = self.turn(turn, &known)?;
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

    fn turn(&self, turn: Turn, known: &KnownQuestions) -> Result<SaveTurn, SaveError> {
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
        let at = Occasion { now: self.desk.clock.now(), ids: self.desk.ids.as_ref() };
        let questions = self.desk.gate.questions(&self.asker, &turn.interrupts, known, at);
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
