//! What a run tells on its way to the log. Most of it is kept with the superstep it belongs to; what
//! a slow model says is kept meanwhile, a few times a second.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, OwnedMutexGuard};

use super::{Loop, Wake};
use crate::agent::{QUIET, in_langchains_form};
use crate::base::{Clock, RunId, Span};
use crate::graph::stream::{Chunk, EventsV2, Shaper};
use crate::graph::{Event, EventSink};
use crate::store::{ClaimedRun, Store, StoreError};
use crate::stream::{Modes, RunEvent};

/// How long what is told may wait for more that is told with it.
const GATHERED_FOR: Span = Span::millis(50);

/// Collects the events of one run until they are kept.
pub(super) struct Recorder {
    watch: Mutex<Watch>,
    told: Mutex<Vec<RunEvent>>,
    news: Notify,
    /// Whoever holds it keeps what was told next, so that the log is in order.
    turn: Arc<tokio::sync::Mutex<()>>,
    wake: Wake,
    clock: Arc<dyn Clock>,
}

/// Those who asked for LangGraph's own forms.
struct Watch {
    shaper: Option<Shaper>,
    events: Option<EventsV2>,
}

impl Recorder {
    pub(super) fn new(run: &RunId, modes: &Modes, wake: Wake, clock: Arc<dyn Clock>) -> Self {
        let watch = Mutex::new(Watch::new(run.as_str(), modes));
        let (told, turn) = (Mutex::default(), Arc::default());
        Self { watch, told, news: Notify::new(), turn, wake, clock }
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
                self.clock.beat(GATHERED_FOR).await;
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

    fn watch(&self) -> MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn new(run: &str, modes: &Modes) -> Self {
        let shaper = modes.chunks().next().map(|_| Shaper::new(modes.chunks(), modes.subgraphs()));
        Self { shaper, events: modes.version.map(|_| EventsV2::new(run)) }
    }

    fn shape(&mut self, event: &Event<'_>) -> Vec<RunEvent> {
        let chunks = self.shaper.as_mut().map(|shaper| shaper.shape(event)).unwrap_or_default();
        let chunk = |chunk: Chunk| RunEvent::Chunk {
            mode: chunk.mode,
            ns: chunk.namespace,
            data: in_langchains_form(chunk.data),
        };
        let events = self.events.as_mut().map(|events| events.shape(event)).unwrap_or_default();
        let event = |event| RunEvent::V2 { event: in_langchains_form(event) };
        chunks.into_iter().map(chunk).chain(events.into_iter().map(event)).collect()
    }
}

impl EventSink for Recorder {
    fn event(&self, event: Event<'_>) {
        let shaped = self.watch().shape(&event);
        let mut told = self.told();
        let before = told.len();
        told.extend(plain(&event));
        told.extend(shaped);
        if told.len() > before {
            self.news.notify_one();
        }
    }
}

/// The plain event that something amounts to.
fn plain(event: &Event<'_>) -> Option<RunEvent> {
    Some(match event {
        Event::NodeStarted { task, .. } => RunEvent::NodeStart { node: task.node.to_string() },
        Event::NodeFinished { task, .. } | Event::NodeCached { task, .. } => {
            RunEvent::NodeEnd { node: task.node.to_string() }
        }
        Event::ModelStarted { call, .. } => RunEvent::LlmStart { model: call.name.clone() },
        Event::ModelChunk { call, chunk, .. } => {
            let heard = !call.tags.iter().any(|tag| tag == QUIET);
            let content = chunk["content"].as_str().filter(|content| heard && !content.is_empty());
            RunEvent::Token { content: content?.to_owned() }
        }
        Event::ModelFinished { .. } => RunEvent::LlmEnd,
        Event::Token { text, .. } => RunEvent::Token { content: (*text).to_owned() },
        _ => return None,
    })
}
