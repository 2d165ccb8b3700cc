//! Keeps the turns of one run: each superstep, with all it entails, is one transaction.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::recorder::Recorder;
use super::runs::{message, reply};
use crate::agent;
use crate::base::failpoint::{self, Point};
use crate::desk::{Asker, Desk, Occasion};
use crate::graph::{At, SaveError, Saver, Snapshot, Turn, TurnStatus};
use crate::store::{ClaimedRun, Ending, KnownQuestions, SaveTurn, StoreError};
use crate::stream::RunEvent;

/// The saver of one run.
pub(super) struct TurnSaver {
    desk: Arc<Desk>,
    run: Arc<ClaimedRun>,
    recorder: Arc<Recorder>,
    /// The turn that ends or suspends the run, after those that come with it. They are kept once the
    /// graph has told its last, so that the end is the last thing in the log and in the same commit.
    last: tokio::sync::Mutex<Vec<SaveTurn>>,
    asker: Asker,
}

impl TurnSaver {
    pub(super) fn new(
        desk: Arc<Desk>,
        run: Arc<ClaimedRun>,
        recorder: Arc<Recorder>,
        asker: Asker,
    ) -> Self {
        Self { desk, run, recorder, last: tokio::sync::Mutex::default(), asker }
    }

    /// Keeps turns with all that was told until now.
    async fn keep(&self, mut turns: Vec<SaveTurn>) -> Result<(), StoreError> {
        let Some(first) = turns.first_mut() else { return Ok(()) };
        let (next, mut events) = self.recorder.take().await;
        events.append(&mut first.events);
        first.events = events;
        let kept = self.desk.store.save_turns(&self.run.id, self.run.epoch, turns).await;
        if kept.is_ok() {
            failpoint::reach(Point::SuperstepCommitted);
        }
        drop(next);
        kept
    }

    pub(super) async fn keep_last(&self) -> Result<(), StoreError> {
        let last = std::mem::take(&mut *self.last.lock().await);
        self.keep(last).await
    }

    fn turn(&self, turn: Turn, known: &KnownQuestions) -> Result<SaveTurn, SaveError> {
        // What a graph within does ends nothing; its questions come with the root's turn.
        let is_root = turn.namespace.is_empty();
        let ending = match turn.status {
            _ if !is_root => None,
            TurnStatus::Continues | TurnStatus::Failed => None,
            TurnStatus::Interrupted | TurnStatus::Paused => Some(Ending::Waiting),
            TurnStatus::Finished => Some(Ending::Done),
        };
        let said = turn.checkpoints.last().filter(|_| ending == Some(Ending::Done));
        let said = said.and_then(agent::last_words).map(|text| reply(&self.run, &text));
        let told: Vec<String> =
            turn.checkpoints.iter().filter(|_| is_root).flat_map(agent::told_since).collect();
        let events = told.iter().map(|text| RunEvent::Message { content: text.clone() }).collect();
        let told = told.iter().map(|text| message(&self.run, text));
        let notices = told.chain(said).collect();
        let surfaced = if is_root { turn.interrupts.as_slice() } else { &[] };
        let at = Occasion { now: self.desk.store.now(), ids: self.desk.ids.as_ref() };
        let questions = self.desk.gate.questions(&self.asker, surfaced, known, at);
        let writes = turn.tasks.iter().map(TryInto::try_into);
        let writes = writes.collect::<Result<_, _>>().map_err(SaveError::new)?;
        let checkpoints = turn.checkpoints.into_iter().map(TryInto::try_into);
        let checkpoints = checkpoints.collect::<Result<_, _>>().map_err(SaveError::new)?;
        Ok(SaveTurn {
            namespace: turn.namespace,
            checkpoints,
            writes,
            consumed: turn.consumed,
            questions,
            notices,
            events,
            ending,
        })
    }
}

impl Saver for TurnSaver {
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        async move {
            let (store, checkpoint) = (&self.desk.store, at.checkpoint.as_deref());
            let stored = store.load_snapshot(&self.run.id, &at.namespace, checkpoint).await;
            let stored = stored.map_err(SaveError::new)?;
            stored.map(TryInto::try_into).transpose().map_err(SaveError::new)
        }
        .boxed()
    }

    fn history<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        async move {
            let stored = self.desk.store.load_history(&self.run.id, namespace).await;
            let stored = stored.map_err(SaveError::new)?.into_iter().map(TryInto::try_into);
            stored.collect::<Result<_, _>>().map_err(SaveError::new)
        }
        .boxed()
    }

    fn save(&self, turns: Vec<Turn>) -> BoxFuture<'_, Result<(), SaveError>> {
        async move {
            self.keep_last().await.map_err(SaveError::new)?;
            // A run asks at its end, so no turn but the last has questions.
            let asked = turns.last().map_or(&[][..], |turn| &turn.interrupts);
            let known = match asked {
                [] => KnownQuestions::default(),
                _ => self.desk.store.known_questions(&self.run.id).await.map_err(SaveError::new)?,
            };
            self.desk.gate.look(asked).await;
            let turns = turns.into_iter().map(|turn| self.turn(turn, &known));
            let turns = turns.collect::<Result<Vec<_>, _>>()?;
            if turns.last().is_some_and(|turn| turn.ending.is_some()) {
                *self.last.lock().await = turns;
                return Ok(());
            }
            self.keep(turns).await.map_err(SaveError::new)
        }
        .boxed()
    }
}
