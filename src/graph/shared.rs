//! What holds for the whole run of one graph, for its engine and the contexts of its tasks.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::sync::Arc;

use serde_json::Value;

use super::engine::Background;
use super::run::Stray;
use super::{
    CheckpointRef, Drain, Durability, Event, EventSink, RunError, Saver, TaskRecord, Timer, Turn,
    TurnStatus,
};

pub(super) struct Shared {
    pub(super) saver: Arc<dyn Saver>,
    pub(super) events: Arc<dyn EventSink>,
    /// Whether anybody listens to the events.
    pub(super) heard: bool,
    pub(super) timer: Arc<dyn Timer>,
    pub(super) drain: Drain,
    /// The id of the run, as the caller gave it.
    pub(super) run: Arc<str>,
    /// What the checkpoints of this graph are made by: the run, or the task that runs the graph.
    pub(super) maker: Arc<str>,
    pub(super) supersteps: NonZeroU32,
    /// What becomes of answers that find no open question.
    pub(super) stray: Stray,
    pub(super) durability: Durability,
    /// Where turns are handed in that are saved while the run goes on.
    pub(super) background: Option<Background>,
    /// Of this graph.
    pub(super) namespace: Arc<str>,
    /// Where the graphs stand that run this one, outermost first.
    pub(super) parents: Vec<CheckpointRef>,
    /// Answers to questions that this graph may ask, from the graph that runs it.
    pub(super) offered: BTreeMap<String, Value>,
    /// Saves of one graph go one after the other.
    pub(super) order: tokio::sync::Mutex<()>,
}

impl Shared {
    pub(super) fn tell(&self, event: Event<'_>) {
        if self.heard {
            self.events.event(event);
        }
    }

    /// Saves a turn, or hands it in to be saved while the run goes on.
    pub(super) async fn keep(&self, turn: Turn) -> Result<(), RunError> {
        match &self.background {
            Some(background) => Ok(background.hand_in(turn).await?),
            None => {
                let _in_order = self.order.lock().await;
                Ok(self.saver.save(vec![turn]).await?)
            }
        }
    }

    /// Waits until all that was handed in is saved.
    pub(super) async fn saved(&self) -> Result<(), RunError> {
        match &self.background {
            Some(background) => Ok(background.saved().await?),
            None => Ok(()),
        }
    }

    /// Keeps what is known of tasks of the superstep under way: unless the run keeps nothing before
    /// its end.
    pub(super) async fn keep_tasks(&self, tasks: Vec<TaskRecord>) -> Result<(), RunError> {
        if !self.saver.keeps() || self.durability == Durability::Exit {
            return Ok(());
        }
        self.keep(Turn {
            namespace: self.namespace.to_string(),
            checkpoints: Vec::new(),
            tasks,
            interrupts: Vec::new(),
            consumed: Vec::new(),
            status: TurnStatus::Continues,
        })
        .await
    }
}
