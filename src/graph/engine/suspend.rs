//! What is kept of a superstep that is not complete: finished tasks do not run again, questions
//! wait for answers, answers survive a failure.

use std::sync::Arc;

use super::Ended;
use super::drive::Engine;
use super::fold::Folding;
use super::position::Task;
use super::task::Outcome;
use crate::graph::{Event, RunEnd, RunError, TaskError, TaskRecord, Turn, TurnStatus, Update};

/// How the superstep ends the run.
enum Why {
    Asks,
    Failed(RunError),
    Handed { node: Arc<str>, update: Update },
}

impl Engine<'_> {
    /// Saves what is known of the tasks, and ends the run: with its open questions, with the
    /// failure of a task, or with a command for the graph that runs this one. After a failure
    /// nothing is surfaced, since nobody could go on with it.
    pub(super) async fn suspend(
        &mut self,
        tasks: &[Task],
        outcomes: Vec<Option<Outcome>>,
    ) -> Result<Ended, RunError> {
        let mut kept: Vec<TaskRecord> = Vec::new();
        let mut why = Why::Asks;
        // Writes that cannot be applied together are refused now, before they are kept.
        let mut values = self.position.values.clone();
        let mut folding = Folding::of(self.graph);
        let mut cut_off = Vec::new();
        for (task, outcome) in tasks.iter().zip(outcomes) {
            let node = &self.graph.nodes[task.node].name;
            match outcome {
                Some(Outcome::Finished(done)) => {
                    folding.fold(&mut values, node, done.update.clone())?;
                    if !done.cached {
                        kept.push(self.finished_record(task, &done));
                    }
                }
                Some(Outcome::Asking(record)) => kept.push(*record),
                Some(Outcome::Failed { record, error }) => {
                    kept.push(*record);
                    why = Why::Failed(*error);
                }
                Some(Outcome::Handed { record, update }) => {
                    kept.push(*record);
                    why = Why::Handed { node: Arc::clone(node), update };
                }
                None => cut_off.push(task),
            }
        }
        let wrote = !folding.changes().is_empty();
        let interrupts: Vec<_> = match &why {
            Why::Asks => kept.iter().flat_map(TaskRecord::interrupts).collect(),
            Why::Failed(_) | Why::Handed { .. } => {
                kept.retain(TaskRecord::is_worth_keeping);
                kept.extend(cut_off.into_iter().map(|task| self.cancelled(task)));
                Vec::new()
            }
        };
        if self.shared.saver.keeps() {
            let turn = Turn {
                namespace: self.shared.namespace.to_string(),
                checkpoints: Vec::new(),
                tasks: kept,
                interrupts: interrupts.clone(),
                consumed: Vec::new(),
                status: match &why {
                    Why::Asks if interrupts.is_empty() => TurnStatus::Paused,
                    Why::Asks => TurnStatus::Interrupted,
                    Why::Failed(_) => TurnStatus::Failed,
                    // What the command leads to is the other graph's to say.
                    Why::Handed { .. } => TurnStatus::Continues,
                },
            };
            self.ledger.close(turn).await?;
        }
        match why {
            Why::Failed(error) => Err(error),
            Why::Handed { node, update } => Ok(Ended::Handed { node, update }),
            Why::Asks => {
                let state = values.into();
                let namespace = &self.shared.namespace;
                self.shared.tell(Event::Suspended { namespace, state: &state, wrote });
                Ok(Ended::Run(if interrupts.is_empty() {
                    RunEnd::Paused { state, next: self.position.pending(self.graph) }
                } else {
                    RunEnd::Interrupted { state, interrupts }
                }))
            }
        }
    }

    /// What is kept of a task that was still running when another failed.
    fn cancelled(&self, task: &Task) -> TaskRecord {
        let place = self.place_of(task);
        TaskRecord {
            task: place.task_id(),
            error: Some(TaskError::cancelled(&place.node)),
            node: place.node,
            sent: task.path().sent(),
            ..TaskRecord::default()
        }
    }
}
