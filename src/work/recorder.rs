//! What a run tells on its way to the log. Most of it is kept with the superstep it belongs to; what
//! a slow model says is kept meanwhile, a few times a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::{Notify, OwnedMutexGuard};

use super::{Loop, Wake};
use crate::agent::ModelMark;
use crate::graph::{Event, EventSink, Update};
use crate::store::{ClaimedRun, Store, StoreError};
use crate::stream::{Modes, RunEvent, StreamMode};

/// How long what is told may wait for more that is told with it.
const GATHERED_FOR: Duration = Duration::from_millis(50);

/// Collects the events of one run until they are kept.
pub(super) struct Recorder {
    modes: Modes,
    told: Mutex<Vec<RunEvent>>,
    news: Notify,
    /// Whoever holds it keeps what was told next, so that the log is in order.
    turn: Arc<tokio::sync::Mutex<()>>,
    wake: Wake,
}

impl Recorder {
    pub(super) fn new(modes: Modes, wake: Wake) -> Self {
        let (told, turn) = (Mutex::default(), Arc::default());
        Self { modes, told, news: Notify::new(), turn, wake }
    }

    /// Everything told so far, for whoever keeps it before letting go of the turn.
    pub(super) async fn take(&self) -> (OwnedMutexGuard<()>, Vec<RunEvent>) {
        let turn = self.turn.clone().lock_owned().await;
        let told = std::mem::take(&mut *self.told());
        (turn, told)
    }

    /// Keeps what is told while `work` goes on. What cannot be kept is lost to those who watch,
    /// never to the run: its answer is in the checkpoint.
    ///
    /// # Errors
    /// [`StoreError::Fenced`], with the work dropped where it stood, when the run is no longer ours.
    pub(super) async fn keeping<T>(
        &self,
        store: &Store,
        run: &ClaimedRun,
        work: impl Future<Output = T>,
    ) -> Result<T, StoreError> {
        let keep = async {
            loop {
                self.news.notified().await;
                tokio::time::sleep(GATHERED_FOR).await;
                let (turn, told) = self.take().await;
                if told.is_empty() {
                    continue;
                }
                match store.tell(&run.id, run.epoch, told).await {
                    Ok(()) => self.wake.these(&[Loop::Streams]),
                    // Somebody has taken over or ended it: nothing it does counts any more.
                    Err(StoreError::Fenced) => return StoreError::Fenced,
                    Err(error) => tracing::warn!(run = %run.id, %error, "events were lost"),
                }
                drop(turn);
            }
        };
        tokio::select! {
            biased;
            done = work => Ok(done),
            error = keep => Err(error),
        }
    }

    fn told(&self) -> MutexGuard<'_, Vec<RunEvent>> {
        // Each use is one step; a panic elsewhere leaves nothing half done in it.
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn chunk(&self, mode: StreamMode, data: impl FnOnce() -> Value) -> Option<RunEvent> {
        self.modes.has(mode).then(|| RunEvent::Chunk { mode, ns: Vec::new(), data: data() })
    }
}

impl EventSink for Recorder {
    fn event(&self, event: Event<'_>) {
        let (plain, chunk) = match event {
            Event::NodeStarted { task, .. } => {
                (Some(RunEvent::NodeStart { node: task.node.to_string() }), None)
            }
            Event::NodeFinished { task, update, .. } => {
                let node = task.node.to_string();
                let chunk = self.chunk(StreamMode::Updates, || json!({ &*node: written(update) }));
                (Some(RunEvent::NodeEnd { node }), chunk)
            }
            Event::NodeCached { task, update } => {
                let cached = || json!({ &*task.node: written(update) });
                let chunk = self.chunk(StreamMode::Updates, cached);
                (Some(RunEvent::NodeEnd { node: task.node.to_string() }), chunk)
            }
            Event::Token { task, text } => {
                let from = json!({ "langgraph_node": task.node, "langgraph_step": task.step });
                let data = || json!([{ "type": "AIMessageChunk", "content": text }, from]);
                let token = RunEvent::Token { content: text.to_owned() };
                (Some(token), self.chunk(StreamMode::Messages, data))
            }
            Event::Custom { value, .. } => {
                let marked = ModelMark::read(value).map(|mark| match mark {
                    ModelMark::Start { model } => RunEvent::LlmStart { model },
                    ModelMark::Again => RunEvent::LlmStart { model: "another".to_owned() },
                    ModelMark::End => RunEvent::LlmEnd,
                });
                (marked, None)
            }
            Event::NodeInterrupted { interrupts, .. } => {
                let asked = || json!({ "__interrupt__": interrupts });
                (None, self.chunk(StreamMode::Updates, asked))
            }
            Event::SuperstepFinished { state, .. } => {
                (None, self.chunk(StreamMode::Values, || state.to_value()))
            }
            _ => (None, None),
        };
        let mut told = self.told();
        let before = told.len();
        told.extend(plain.into_iter().chain(chunk));
        if told.len() > before {
            self.news.notify_one();
        }
    }
}

/// A node's update as LangGraph shows it: null when it wrote nothing.
fn written(update: &Update) -> Value {
    let writes: Map<String, Value> =
        update.writes().map(|(key, write)| (key.to_owned(), write.to_value())).collect();
    if writes.is_empty() { Value::Null } else { Value::Object(writes) }
}
