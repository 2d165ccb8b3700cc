//! Keeps turns as durable as was asked for.

use std::sync::Arc;

use crate::graph::shared::Shared;
use crate::graph::{Durability, RunError, Turn};

/// Keeps the turns of one graph's run.
pub(super) struct Ledger {
    shared: Arc<Shared>,
    /// All that is to be saved at the end, as one turn.
    held: Option<Turn>,
}

impl Ledger {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, held: None }
    }

    /// Takes a turn after which the run goes on.
    pub(super) async fn take(&mut self, turn: Turn) -> Result<(), RunError> {
        match self.shared.durability {
            Durability::Sync | Durability::Async => self.shared.keep(turn).await,
            Durability::Exit => {
                self.held = Some(match self.held.take() {
                    Some(earlier) => together(earlier, turn),
                    None => only_last(turn),
                });
                Ok(())
            }
        }
    }

    /// Takes the turn that ends the run, and waits until everything is saved.
    pub(super) async fn close(&mut self, turn: Turn) -> Result<(), RunError> {
        self.take(turn).await?;
        self.settle().await
    }

    /// Waits until everything is saved. A graph within leaves that to the graph that runs it.
    pub(super) async fn settle(&mut self) -> Result<(), RunError> {
        if let Some(turn) = self.held.take() {
            self.shared.keep(turn).await?;
        }
        if self.shared.namespace.is_empty() {
            self.shared.saved().await?;
        }
        Ok(())
    }
}

/// Two turns as one that keeps only the later one's last checkpoint.
fn together(earlier: Turn, later: Turn) -> Turn {
    let mut turn = later;
    if turn.checkpoints.is_empty() {
        turn.tasks.splice(0..0, earlier.tasks);
    }
    turn.checkpoints.splice(0..0, earlier.checkpoints);
    turn.consumed.splice(0..0, earlier.consumed);
    only_last(turn)
}

/// The turn with its last checkpoint alone, which then follows what the first one followed.
fn only_last(mut turn: Turn) -> Turn {
    let last = turn.checkpoints.drain(..).reduce(|earlier, mut later| {
        later.parent = earlier.parent;
        for (key, change) in earlier.changed {
            let amount = later.changed.get(&key).map_or(change, |then| change.then(*then));
            later.changed.insert(key, amount);
        }
        later
    });
    turn.checkpoints.extend(last.map(|mut last| {
        // What it was made of hung, but for the first, on checkpoints that nobody keeps.
        last.tasks.clear();
        last
    }));
    turn
}
