//! What is kept after each superstep.

use super::drive::{Engine, Head, Standing};
use super::fold::{Changes, add_changes};
use super::making::Making;
use crate::graph::{Checkpoint, Durability, RunError, Source, TaskRecord, Turn, TurnStatus};

impl Engine<'_> {
    /// The checkpoint of the position as it is now, which is then the latest; none if nothing is
    /// kept.
    pub(super) fn checkpoint(
        &mut self,
        source: Source,
        changes: &Changes,
        tasks: Vec<TaskRecord>,
    ) -> Option<Checkpoint> {
        let shared = &self.shared;
        if !shared.saver.keeps() {
            return None;
        }
        let mut all = std::mem::take(&mut self.carried);
        add_changes(&mut all, changes);
        let branch = self.branch.take();
        let parent = self.head.take().map(|head| head.id);
        let created_at = shared.timer.now();
        let making = Making {
            source,
            maker: &shared.maker,
            namespace: &shared.namespace,
            parents: &shared.parents,
            parent: parent.as_deref(),
            branch: branch.as_deref(),
            created_at,
        };
        let mut checkpoint = making.make(self.graph, &self.position, &all, tasks);
        if branch.is_some() {
            checkpoint.stand_alone();
        }
        let id = checkpoint.id.as_str().into();
        // What is told follows what is kept.
        let parent = match self.shared.durability {
            Durability::Exit => self.anchor.clone(),
            Durability::Sync | Durability::Async => parent,
        };
        self.head = Some(Head { id, parent, source, created_at });
        self.commanded = None;
        Some(checkpoint)
    }

    pub(super) async fn keep(
        &mut self,
        checkpoints: Vec<Checkpoint>,
        tasks: Vec<TaskRecord>,
        consumed: Vec<String>,
        standing: Standing,
    ) -> Result<(), RunError> {
        if !self.shared.saver.keeps() {
            return Ok(());
        }
        let turn = Turn {
            namespace: self.shared.namespace.to_string(),
            checkpoints,
            tasks,
            interrupts: Vec::new(),
            consumed,
            status: match standing {
                Standing::Due | Standing::OutOfSteps => TurnStatus::Continues,
                Standing::Paused if self.position.is_done() => TurnStatus::Finished,
                Standing::Paused => TurnStatus::Paused,
                Standing::Finished => TurnStatus::Finished,
            },
        };
        self.ledger.take(turn).await
    }
}
