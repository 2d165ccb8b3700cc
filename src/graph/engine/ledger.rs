//! Keeps turns as durable as was asked for.

use std::sync::Arc;

use crate::graph::shared::Shared;
use crate::graph::{Durability, RunError, Turn};

/// The turns of one graph's run that are not saved yet, oldest first.
pub(super) struct Ledger {
    shared: Arc<Shared>,
    held: Vec<Turn>,
}

impl Ledger {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, held: Vec::new() }
    }

    /// Takes a turn after which the run goes on.
    pub(super) async fn take(&mut self, turn: Turn) -> Result<(), RunError> {
        match self.shared.durability {
            Durability::Sync => Ok(self.shared.save(turn).await?),
            Durability::Async => {
                self.held.push(turn);
                Ok(())
            }
            Durability::Exit => {
                let all = match self.held.pop() {
                    Some(earlier) => together(earlier, turn),
                    None => only_last(turn),
                };
                self.held.push(all);
                Ok(())
            }
        }
    }

    /// Takes the turn that ends the run, and saves everything.
    pub(super) async fn close(&mut self, turn: Turn) -> Result<(), RunError> {
        self.take(turn).await?;
        for turn in std::mem::take(&mut self.held) {
            self.shared.save(turn).await?;
        }
        Ok(())
    }

    /// Saves, in order, what may be saved while the next superstep runs.
    pub(super) fn catch_up(
        &mut self,
    ) -> Option<impl Future<Output = Result<(), RunError>> + use<>> {
        if self.held.is_empty() || self.shared.durability != Durability::Async {
            return None;
        }
        let (shared, held) = (Arc::clone(&self.shared), std::mem::take(&mut self.held));
        Some(async move {
            for turn in held {
                shared.save(turn).await?;
            }
            Ok(())
        })
    }

    /// Saves what is held because the run ends without a turn of its own.
    pub(super) async fn settle(&mut self) -> Result<(), RunError> {
        for turn in std::mem::take(&mut self.held) {
            self.shared.save(turn).await?;
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
