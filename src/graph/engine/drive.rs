//! One run of one graph on one thread: the loop of supersteps.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Ended;
use super::fold::Changes;
use super::ledger::Ledger;
use super::position::{Position, Task};
use super::task::{Finished, Outcome};
use crate::graph::context::Place;
use crate::graph::graph::NodeIndex;
use crate::graph::shared::Shared;
use crate::graph::{Event, Graph, Pauses, RunEnd, RunError, Source, TaskPath, TaskRecord};

pub(super) struct Engine<'r> {
    pub(super) graph: &'r Graph,
    pub(super) shared: Arc<Shared>,
    pub(super) position: Position,
    pub(super) ledger: Ledger,
    /// The latest checkpoint, whether saved or still to be.
    pub(super) head: Option<Head>,
    /// The checkpoint that the run began with.
    pub(super) anchor: Option<Arc<str>>,
    /// The thread's latest checkpoint, until the first one of a branch is made.
    pub(super) branch: Option<String>,
    /// What is known of the tasks of the first superstep.
    pub(super) found: Vec<TaskRecord>,
    pub(super) recorded: BTreeMap<String, Value>,
    pub(super) commanded: Option<TaskRecord>,
    /// What a command changed since the latest checkpoint.
    pub(super) carried: Changes,
    pub(super) pause_before: &'r Pauses,
    pub(super) pause_after: &'r Pauses,
    /// The number of the last superstep that this run may look for work in.
    pub(super) last_step: i64,
}

/// The latest checkpoint, as far as what follows depends on it.
pub(super) struct Head {
    pub(super) id: Arc<str>,
    pub(super) parent: Option<Arc<str>>,
    pub(super) source: Source,
    pub(super) created_at: i64,
}

/// What a thread is ready for between two supersteps.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Due,
    Paused,
    OutOfSteps,
    Finished,
}

impl Engine<'_> {
    /// `records` tells what is known of the first superstep's tasks, in their order; it is empty
    /// if nothing is.
    pub(super) async fn drive(
        &mut self,
        mut standing: Standing,
        mut records: Vec<Option<TaskRecord>>,
    ) -> Result<Ended, RunError> {
        loop {
            self.tell_plan(&records);
            match standing {
                Standing::Due => {}
                Standing::Paused => {
                    self.ledger.settle().await?;
                    self.shared.tell(Event::Paused { namespace: &self.shared.namespace });
                    let next = self.position.pending(self.graph);
                    let state = self.position.state();
                    return Ok(Ended::Run(RunEnd::Paused { state, next }));
                }
                Standing::OutOfSteps => {
                    return Err(RunError::RecursionLimit { limit: self.shared.supersteps });
                }
                Standing::Finished => {
                    self.ledger.settle().await?;
                    let state = self.position.state();
                    self.tell_finished(&state);
                    return Ok(Ended::Run(RunEnd::Finished { state }));
                }
            }
            if let Some(reason) = self.shared.drain.reason() {
                return Err(RunError::Drained { reason: reason.to_owned() });
            }
            let tasks = self.position.tasks();
            self.tell_tasks(&tasks);
            self.tell_cached(&tasks, &records);
            let outcomes = self.attempt_all(&tasks, std::mem::take(&mut records)).await?;
            match all_finished(outcomes) {
                Ok(finished) => standing = self.settle(tasks, finished).await?,
                Err(outcomes) => return self.suspend(&tasks, outcomes).await,
            }
        }
    }

    /// Folds a complete superstep into the state and saves it.
    async fn settle(
        &mut self,
        tasks: Vec<Task>,
        mut finished: Vec<Finished>,
    ) -> Result<Standing, RunError> {
        let keeps = self.shared.saver.keeps();
        let mut consumed = Vec::new();
        let mut records = Vec::new();
        if keeps {
            for (task, finished) in tasks.iter().zip(&mut finished) {
                let record = self.finished_record(task, finished);
                if self.shared.namespace.is_empty() {
                    // What a graph within asked surfaced as the root's question, and is used up
                    // when the root's task is done.
                    consumed.extend(record.answered().map(str::to_owned));
                }
                records.push(record);
            }
        }
        let writes = finished.iter().map(|task| task.update.writes.len()).sum();
        let changes = self.position.advance(self.graph, &tasks, finished)?;
        let standing = self.standing(tasks.iter().map(|task| task.node));
        let checkpoint = self.checkpoint(Source::Loop, &changes, records);
        self.keep(checkpoint.into_iter().collect(), Vec::new(), consumed, standing).await?;
        self.tell_superstep(writes);
        Ok(standing)
    }

    /// A pause comes before the limit: it ends the run just as well, and must not be passed by
    /// going on after the limit.
    pub(super) fn standing(&self, ran: impl IntoIterator<Item = NodeIndex>) -> Standing {
        let after = *self.pause_after != Pauses::None
            && ran.into_iter().any(|node| self.pause_after.has(&self.graph.nodes[node].name));
        if after || self.position.is_paused(self.graph, self.pause_before) {
            return Standing::Paused;
        }
        self.standing_unpaused()
    }

    pub(super) fn standing_unpaused(&self) -> Standing {
        if self.step() > self.last_step {
            Standing::OutOfSteps
        } else if self.position.is_done() {
            Standing::Finished
        } else {
            Standing::Due
        }
    }

    /// The number of the superstep that comes next or is under way.
    pub(super) fn step(&self) -> i64 {
        self.position.step + 1
    }

    pub(super) fn head_id(&self) -> Option<&str> {
        self.head.as_ref().map(|head| &*head.id)
    }

    pub(super) fn place(&self, node: Arc<str>, triggers: Arc<[Arc<str>]>, path: TaskPath) -> Place {
        Place {
            shared: Arc::clone(&self.shared),
            node,
            triggers,
            step: self.step(),
            checkpoint: self.head.as_ref().map(|head| Arc::clone(&head.id)),
            path,
            values: self.position.values.clone(),
        }
    }

    pub(super) fn place_of(&self, task: &Task) -> Place {
        let spec = &self.graph.nodes[task.node];
        self.place(Arc::clone(&spec.name), Arc::clone(&spec.triggers), task.path())
    }
}

/// The finished tasks if all are, else the outcomes as they were.
fn all_finished(outcomes: Vec<Option<Outcome>>) -> Result<Vec<Finished>, Vec<Option<Outcome>>> {
    if !outcomes.iter().all(|outcome| matches!(outcome, Some(Outcome::Finished(_)))) {
        return Err(outcomes);
    }
    let finished = outcomes.into_iter().filter_map(|outcome| match outcome {
        Some(Outcome::Finished(finished)) => Some(finished),
        Some(Outcome::Asking(_) | Outcome::Failed { .. } | Outcome::Handed { .. }) | None => None,
    });
    Ok(finished.collect())
}
