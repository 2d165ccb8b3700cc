//! Keeps the turns of one run: each superstep, with all it entails, is one transaction.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;

use super::recorder::Recorder;
use super::runs::reply;
use crate::agent;
use crate::desk::{Asker, Desk, Occasion};
use crate::graph::{
    At, Checkpoint, SaveError, Saver, Snapshot, Stored, StoredChange, Turn, TurnStatus,
};
use crate::store::{
    ClaimedRun, Ending, NewCheckpoint, NewValue, NewWrites, SaveTurn, StoreError, StoredSnapshot,
};

/// The saver of one run.
pub(super) struct TurnSaver {
    desk: Arc<Desk>,
    run: Arc<ClaimedRun>,
    recorder: Arc<Recorder>,
    /// The turn that ends or suspends the run. It is kept once the graph has told its last, so that
    /// the end is the last thing in the log and in the same commit.
    last: tokio::sync::Mutex<Option<SaveTurn>>,
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

    /// Keeps a turn with all that was told until now.
    async fn keep(&self, mut turn: SaveTurn) -> Result<(), StoreError> {
        let (next, events) = self.recorder.take().await;
        turn.events = events;
        let kept = self.desk.store.save_turn(turn).await;
        drop(next);
        kept
    }

    pub(super) async fn keep_last(&self) -> Result<(), StoreError> {
        match self.last.lock().await.take() {
            Some(turn) => self.keep(turn).await,
            None => Ok(()),
        }
    }

    fn turn(&self, turn: Turn) -> Result<SaveTurn, SaveError> {
        // What a graph within does ends nothing; its questions come with the root's turn.
        let is_root = turn.namespace.is_empty();
        let ending = match turn.status {
            _ if !is_root => None,
            TurnStatus::Continues | TurnStatus::Failed => None,
            TurnStatus::Interrupted | TurnStatus::Paused => Some(Ending::Waiting),
            TurnStatus::Finished => Some(Ending::Done),
        };
        let said = turn.checkpoints.last().filter(|_| ending == Some(Ending::Done));
        let notices = said
            .and_then(agent::last_words)
            .map(|text| vec![reply(&self.run, &text)])
            .unwrap_or_default();
        let surfaced = turn.interrupts.iter().filter(|_| is_root);
        let questions = surfaced
            .map(|interrupt| {
                let at = Occasion { now: self.desk.clock.now(), ids: self.desk.ids.as_ref() };
                self.desk.gate.question(&self.asker, &interrupt.id, &interrupt.value, at)
            })
            .collect();
        let writes = turn
            .tasks
            .iter()
            .map(|task| {
                let body = serde_json::to_value(task)?;
                Ok(NewWrites { task: task.task.clone(), body })
            })
            .collect::<Result<_, serde_json::Error>>()
            .map_err(SaveError::new)?;
        let checkpoints = turn.checkpoints.into_iter().map(stored);
        let checkpoints = checkpoints.collect::<Result<_, _>>().map_err(SaveError::new)?;
        Ok(SaveTurn {
            run: self.run.id.clone(),
            epoch: self.run.epoch,
            namespace: turn.namespace,
            checkpoints,
            writes,
            consumed: turn.consumed,
            questions,
            notices,
            events: Vec::new(),
            ending,
        })
    }
}

impl Saver for TurnSaver {
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        async move {
            let (store, checkpoint) = (&self.desk.store, at.checkpoint.as_deref());
            let stored = store.load_snapshot(&self.run.id, &at.namespace, checkpoint).await;
            stored.map_err(SaveError::new)?.map(snapshot).transpose().map_err(SaveError::new)
        }
        .boxed()
    }

    fn history<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        async move {
            let stored = self.desk.store.load_history(&self.run.id, namespace).await;
            let snapshots = stored.map_err(SaveError::new)?.into_iter().map(snapshot);
            snapshots.collect::<Result<_, _>>().map_err(SaveError::new)
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

fn stored(checkpoint: Checkpoint) -> Result<NewCheckpoint, serde_json::Error> {
    let (id, parent) = (checkpoint.id.clone(), checkpoint.parent.clone());
    let (namespace, step) = (checkpoint.namespace.clone(), checkpoint.step);
    let Stored { body, keys, changes } = checkpoint.into_stored()?;
    let changes = changes.into_iter();
    let changes = changes.map(|StoredChange { key, start, value }| NewValue { key, start, value });
    Ok(NewCheckpoint { id, parent, namespace, step, body, keys, changes: changes.collect() })
}

fn snapshot(stored: StoredSnapshot) -> Result<Snapshot, serde_json::Error> {
    let StoredSnapshot { checkpoint, writes, answers } = stored;
    let tasks = writes.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
    let checkpoint = Checkpoint::from_stored(checkpoint.body, checkpoint.values)?;
    Ok(Snapshot { checkpoint, tasks, answers })
}
