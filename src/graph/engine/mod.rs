//! The engine: takes a thread up, does supersteps until there is a reason to stop, and hands each
//! to the saver.
//!
//! [`opening`] decides what an input means for the thread as it was found, [`task`] runs one node,
//! [`position`] holds the state between supersteps and folds finished tasks into it, [`suspend`]
//! says what is kept of a superstep that is not complete. This file is the loop around them.

mod opening;
mod position;
mod suspend;
mod task;

use std::sync::Arc;

use futures::stream::{FuturesUnordered, StreamExt};
use serde_json::Value;

use self::opening::Opening;
use self::position::{Changes, Position, Task};
use self::task::{Finished, Outcome};
use super::{
    Event, EventSink, Graph, Input, Limits, RunEnd, RunError, Saver, Snapshot, Source, TaskOutcome,
    Turn, TurnStatus, ids,
};

pub(super) async fn run(
    graph: &Graph,
    input: Input,
    saver: &dyn Saver,
    events: Arc<dyn EventSink>,
    limits: Limits,
) -> Result<RunEnd, RunError> {
    let snapshot = saver.load().await?;
    let opening = opening::of(input, snapshot.as_ref(), &limits.run)?;
    let (position, latest, saved) = match snapshot {
        Some(Snapshot { mut checkpoint, writes, answers }) => {
            if let Opening::Enter(_) = opening {
                // What is dropped need not fit the graph any more.
                checkpoint.due.clear();
                checkpoint.sends.clear();
            }
            let id = checkpoint.id.clone();
            (Position::restore(graph, checkpoint)?, Some(id), (writes, answers))
        }
        None => (Position::fresh(graph), None, Default::default()),
    };
    // LangGraph counts the input and its distribution as steps, and the step that finds nothing
    // left to do as well.
    let last_step = position.step + i64::from(limits.supersteps.get()) + 2;
    let mut engine = Engine { graph, saver, events, limits, position, latest, last_step };
    match opening {
        Opening::Enter(input) => {
            let standing = engine.enter(input).await?;
            engine.drive(standing, Vec::new()).await
        }
        Opening::GoOn { answers, passes_pause } => {
            let (writes, known) = saved;
            let records = opening::records(&engine, writes, known, answers)?;
            let standing = match engine.standing() {
                Standing::Paused if passes_pause => Standing::Due,
                standing => standing,
            };
            engine.drive(standing, records).await
        }
    }
}

/// One run of one graph on one thread.
struct Engine<'r> {
    graph: &'r Graph,
    saver: &'r dyn Saver,
    events: Arc<dyn EventSink>,
    limits: Limits,
    position: Position,
    /// The id of the thread's latest checkpoint.
    latest: Option<String>,
    /// The number of the last superstep that this run may look for work in.
    last_step: i64,
}

/// What a thread is ready for between two supersteps.
#[derive(Clone, Copy)]
enum Standing {
    Due,
    Paused,
    OutOfSteps,
    Finished,
}

impl Standing {
    fn status(self) -> TurnStatus {
        match self {
            Self::Due | Self::OutOfSteps => TurnStatus::Continues,
            Self::Paused => TurnStatus::Paused,
            Self::Finished => TurnStatus::Finished,
        }
    }
}

impl Engine<'_> {
    /// Takes new input: the superstep of the start.
    async fn enter(&mut self, input: Value) -> Result<Standing, RunError> {
        let changes = self.position.enter(self.graph, input)?;
        self.save(Source::Input, changes, Vec::new()).await
    }

    /// `records` tells what is known of the first superstep's tasks, in their order; it is empty
    /// if nothing is.
    async fn drive(
        mut self,
        mut standing: Standing,
        mut records: Vec<Option<TaskOutcome>>,
    ) -> Result<RunEnd, RunError> {
        loop {
            match standing {
                Standing::Due => {}
                Standing::Paused => {
                    let next = self.position.pending(self.graph);
                    return Ok(RunEnd::Paused { state: self.position.state(), next });
                }
                Standing::OutOfSteps => {
                    return Err(RunError::RecursionLimit { limit: self.limits.supersteps });
                }
                Standing::Finished => {
                    return Ok(RunEnd::Finished { state: self.position.state() });
                }
            }
            let tasks = self.position.tasks();
            self.announce(&tasks);
            let outcomes = self.attempt_all(&tasks, std::mem::take(&mut records)).await;
            match all_finished(outcomes) {
                Ok(finished) => standing = self.settle(tasks, finished).await?,
                Err(outcomes) => return self.suspend(&tasks, outcomes).await,
            }
        }
    }

    fn announce(&self, tasks: &[Task]) {
        let nodes: Vec<_> = tasks.iter().map(|task| &*self.graph.nodes[task.node].name).collect();
        self.events.event(Event::SuperstepStarted { step: self.step(), nodes: &nodes });
    }

    /// Runs the tasks side by side, within this future: dropping it drops them all. The first
    /// failure drops those that are still running, and they have no outcome.
    async fn attempt_all(
        &self,
        tasks: &[Task],
        mut records: Vec<Option<TaskOutcome>>,
    ) -> Vec<Option<Outcome>> {
        if let [task] = tasks {
            let record = records.pop().flatten();
            return vec![Some(self.attempt(task, record).await)];
        }
        records.resize_with(tasks.len(), || None);
        let mut outcomes: Vec<_> = tasks.iter().map(|_| None).collect();
        let mut running: FuturesUnordered<_> = tasks
            .iter()
            .zip(records)
            .enumerate()
            .map(|(place, (task, record))| async move { (place, self.attempt(task, record).await) })
            .collect();
        while let Some((place, outcome)) = running.next().await {
            let failed = matches!(outcome, Outcome::Failed { .. });
            outcomes[place] = Some(outcome);
            if failed {
                break;
            }
        }
        outcomes
    }

    /// Folds a complete superstep into the state and saves it.
    async fn settle(
        &mut self,
        tasks: Vec<Task>,
        mut finished: Vec<Finished>,
    ) -> Result<Standing, RunError> {
        let consumed = finished.iter_mut().flat_map(|task| task.answered.drain(..)).collect();
        let changes = self.position.advance(self.graph, &tasks, finished)?;
        let step = self.position.step;
        let standing = self.save(Source::Superstep, changes, consumed).await?;
        let state = self.position.state();
        self.events.event(Event::SuperstepFinished { step, state: &state });
        Ok(standing)
    }

    async fn save(
        &mut self,
        source: Source,
        changes: Changes,
        consumed: Vec<String>,
    ) -> Result<Standing, RunError> {
        let standing = self.standing();
        if self.saver.keeps() {
            let id = ids::checkpoint(self.latest.as_deref(), &self.limits.run, self.position.step);
            let parent = self.latest.replace(id.clone());
            let run = self.limits.run.to_string();
            let checkpoint = self.position.save(self.graph, id, parent, run, source, changes);
            let turn = Turn {
                checkpoint: Some(checkpoint),
                writes: Vec::new(),
                interrupts: Vec::new(),
                consumed,
                status: standing.status(),
            };
            self.saver.save(turn).await?;
        }
        Ok(standing)
    }

    /// A pause comes before the limit: it ends the run just as well, and must not be passed by
    /// going on after the limit.
    fn standing(&self) -> Standing {
        if self.position.is_paused(self.graph) {
            Standing::Paused
        } else if self.step() > self.last_step {
            Standing::OutOfSteps
        } else if self.position.is_done() {
            Standing::Finished
        } else {
            Standing::Due
        }
    }

    /// The number of the superstep that comes next or is under way.
    fn step(&self) -> i64 {
        self.position.step + 1
    }
}

/// The finished tasks if all are, else the outcomes as they were.
fn all_finished(outcomes: Vec<Option<Outcome>>) -> Result<Vec<Finished>, Vec<Option<Outcome>>> {
    if !outcomes.iter().all(|outcome| matches!(outcome, Some(Outcome::Finished(_)))) {
        return Err(outcomes);
    }
    let finished = outcomes.into_iter().filter_map(|outcome| match outcome {
        Some(Outcome::Finished(finished)) => Some(finished),
        Some(Outcome::Asking { .. } | Outcome::Failed { .. }) | None => None,
    });
    Ok(finished.collect())
}
