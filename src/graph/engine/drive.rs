//! One run of one graph on one thread: the loop of supersteps.

use std::sync::Arc;

use super::answers;
use super::entry::part;
use super::fold::Changes;
use super::ledger::Ledger;
use super::opening::{Entering, GoingOn, Opening, input_update};
use super::position::{Position, Task};
use super::task::{Finished, Outcome};
use super::{Ended, Found};
use crate::graph::checkpoint::command;
use crate::graph::context::Place;
use crate::graph::graph::NodeIndex;
use crate::graph::shared::Shared;
use crate::graph::{
    Change, Checkpoint, Event, Graph, Pauses, RunEnd, RunError, START, Source, TaskPath,
    TaskRecord, Turn, TurnStatus, Update, ids,
};

pub(super) struct Engine<'r> {
    pub(super) graph: &'r Graph,
    pub(super) shared: Arc<Shared>,
    pub(super) position: Position,
    pub(super) ledger: Ledger,
    /// The latest checkpoint, whether saved or still to be.
    pub(super) head: Option<Head>,
    /// The thread's latest checkpoint, until the first one of a branch is made.
    branch: Option<String>,
    /// What is known of the tasks of the first superstep.
    found: Vec<TaskRecord>,
    recorded: std::collections::BTreeMap<String, serde_json::Value>,
    commanded: Option<TaskRecord>,
    /// What a command changed since the latest checkpoint.
    carried: Changes,
    pause_before: &'r Pauses,
    pause_after: &'r Pauses,
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

impl<'r> Engine<'r> {
    pub(super) fn take_up(
        graph: &'r Graph,
        shared: Arc<Shared>,
        found: Found,
        opening: &Opening,
        (pause_before, pause_after): (&'r Pauses, &'r Pauses),
    ) -> Result<Self, RunError> {
        let Found { snapshot, branch } = found;
        let (position, head, tasks, recorded) = match snapshot {
            None => (Position::fresh(graph), None, Vec::new(), Default::default()),
            Some(snapshot) => {
                let mut checkpoint = snapshot.checkpoint;
                if let Opening::Enter(_) = opening {
                    // What is dropped need not fit the graph any more.
                    checkpoint.due.clear();
                    checkpoint.sends.clear();
                    checkpoint.deferred.clear();
                }
                let head = Head {
                    id: checkpoint.id.as_str().into(),
                    parent: checkpoint.parent.as_deref().map(Into::into),
                    source: checkpoint.source,
                    created_at: checkpoint.created_at,
                };
                let position = Position::restore(graph, checkpoint)?;
                (position, Some(head), snapshot.tasks, snapshot.answers)
            }
        };
        let (commanded, found) = part(tasks);
        // LangGraph counts the input and its distribution as steps, and the step that finds nothing
        // left to do as well.
        let last_step = position.step + i64::from(shared.supersteps.get()) + 2;
        let ledger = Ledger::new(Arc::clone(&shared));
        Ok(Self {
            graph,
            shared,
            position,
            ledger,
            head,
            branch,
            found,
            recorded,
            commanded,
            carried: Vec::new(),
            pause_before,
            pause_after,
            last_step,
        })
    }

    pub(super) async fn run(&mut self, opening: Opening) -> Result<Ended, RunError> {
        if let Some(done) = self.commanded.as_ref().and_then(|record| record.done.clone()) {
            self.carried = self.position.command(self.graph, done)?;
        }
        let ended = match opening {
            Opening::Enter(entering) => self.enter(entering).await,
            Opening::GoOn(going_on) => self.go_on(going_on).await,
        };
        if ended.is_err() {
            // What was done is kept whatever became of the rest.
            self.ledger.settle().await?;
        }
        ended
    }

    /// Takes new input.
    async fn enter(&mut self, entering: Entering) -> Result<Ended, RunError> {
        let Entering { raw, update } = entering;
        self.tell_start(Some(&raw));
        self.position.note(raw);
        let noted = self.checkpoint(Source::Input, &Vec::new(), Vec::new());
        self.tell_plan(&[]);
        let standing = self.distribute(update, noted).await?;
        self.drive(standing, Vec::new()).await
    }

    /// Does superstep 0 of an input that was noted. `noted` is the checkpoint that notes it, if it
    /// is still to be saved: both are one turn.
    async fn distribute(
        &mut self,
        update: Update,
        noted: Option<Checkpoint>,
    ) -> Result<Standing, RunError> {
        let task = self.place(START.into(), Arc::default(), TaskPath::Edge).task_id();
        let (changes, record) = self.position.distribute(self.graph, update, &task)?;
        let wrote = !changes.is_empty();
        let distributed = self.checkpoint(Source::Loop, &changes, vec![record]);
        let standing = self.standing(&[]);
        let checkpoints = noted.into_iter().chain(distributed).collect();
        self.keep(checkpoints, Vec::new(), Vec::new(), standing).await?;
        self.tell_superstep(wrote);
        Ok(standing)
    }

    /// Goes on with what is pending.
    async fn go_on(&mut self, going_on: GoingOn) -> Result<Ended, RunError> {
        let GoingOn { answers, command, passes_pause, told } = going_on;
        self.fork().await?;
        let (found, recorded) =
            (std::mem::take(&mut self.found), std::mem::take(&mut self.recorded));
        let mut records = self.align(found)?;
        answers::put(&mut records, recorded, &self.shared.offered, answers)?;
        if let Some(update) = command {
            self.command(update).await?;
            records.resize_with(self.position.tasks().len(), || None);
        }
        self.tell_start(None);
        if told {
            self.tell_resumed();
        }
        if let Some(raw) = &self.position.entering {
            let update = input_update(raw)?;
            self.tell_plan(&[]);
            let standing = self.distribute(update, None).await?;
            return self.drive(standing, Vec::new()).await;
        }
        let standing = match self.standing(&self.position.ran) {
            Standing::Paused if passes_pause => self.standing_unpaused(),
            standing => standing,
        };
        self.drive(standing, records).await
    }

    /// Makes the copy of an older checkpoint that a branch begins with.
    async fn fork(&mut self) -> Result<(), RunError> {
        if self.branch.is_none() {
            return Ok(());
        }
        self.position.step += 1;
        let copy = self.checkpoint(Source::Fork, &Vec::new(), Vec::new());
        let status = Standing::Due;
        self.keep(copy.into_iter().collect(), Vec::new(), Vec::new(), status).await
    }

    /// Writes and jumps from outside: they hang on the latest checkpoint, so that the questions
    /// of its tasks keep their ids.
    async fn command(&mut self, mut update: Update) -> Result<(), RunError> {
        let start: Arc<str> = START.into();
        let task = format!("{}:{}", self.head_id().unwrap_or_default(), self.shared.maker);
        super::fold::prepare(self.graph, &start, &mut update, self.graph.unknown, || task.clone())?;
        let targets = std::mem::take(&mut update.goto);
        let mut record = command(targets, update);
        if let Some(done) = record.done.clone() {
            let changes = self.position.command(self.graph, done)?;
            self.carried = together(std::mem::take(&mut self.carried), &changes);
        }
        if let Some(earlier) = self.commanded.take().and_then(|earlier| earlier.done)
            && let Some(done) = &mut record.done
        {
            done.update = earlier.update.and(std::mem::take(&mut done.update));
            done.targets.splice(0..0, earlier.targets);
        }
        self.commanded = Some(record.clone());
        let standing = self.standing_unpaused();
        self.keep(Vec::new(), vec![record], Vec::new(), standing).await
    }

    /// What is known of the tasks that are planned, in their order.
    fn align(&self, found: Vec<TaskRecord>) -> Result<Vec<Option<TaskRecord>>, RunError> {
        if found.is_empty() {
            return Ok(Vec::new());
        }
        let mut known: std::collections::BTreeMap<String, TaskRecord> =
            found.into_iter().map(|record| (record.task.clone(), record)).collect();
        let tasks = self.position.tasks();
        let records = tasks.iter().map(|task| known.remove(&self.place_of(task).task_id()));
        let records = records.collect();
        match known.into_keys().next() {
            None => Ok(records),
            Some(task) => {
                let what = format!("it has work of task {task}, which is not planned");
                Err(RunError::ForeignCheckpoint { what })
            }
        }
    }

    /// `records` tells what is known of the first superstep's tasks, in their order; it is empty
    /// if nothing is.
    async fn drive(
        &mut self,
        mut standing: Standing,
        mut records: Vec<Option<TaskRecord>>,
    ) -> Result<Ended, RunError> {
        loop {
            if standing != Standing::OutOfSteps {
                self.tell_plan(&records);
            }
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
                consumed.extend(record.answered().map(str::to_owned));
                records.push(record);
            }
        }
        let wrote = finished.iter().any(|task| !task.update.writes.is_empty());
        let changes = self.position.advance(self.graph, &tasks, finished)?;
        let ran: Vec<_> = tasks.iter().map(|task| task.node).collect();
        let standing = self.standing(&ran);
        let checkpoint = self.checkpoint(Source::Loop, &changes, records);
        self.keep(checkpoint.into_iter().collect(), Vec::new(), consumed, standing).await?;
        self.tell_superstep(wrote);
        Ok(standing)
    }

    /// The checkpoint of the position as it is now, which is then the latest; none if nothing is
    /// kept.
    fn checkpoint(
        &mut self,
        source: Source,
        changes: &Changes,
        tasks: Vec<TaskRecord>,
    ) -> Option<Checkpoint> {
        let shared = &self.shared;
        if !shared.saver.keeps() {
            return None;
        }
        let branch = self.branch.take();
        let parent = self.head.take().map(|head| head.id);
        let id = ids::checkpoint(
            parent.as_deref(),
            &shared.maker,
            self.position.step,
            branch.as_deref(),
        );
        let created_at = shared.timer.now();
        self.head = Some(Head {
            id: id.as_str().into(),
            parent: parent.clone(),
            source,
            created_at,
        });
        self.commanded = None;
        let mut checkpoint = Checkpoint {
            id,
            parent: parent.map(|parent| parent.to_string()),
            namespace: shared.namespace.to_string(),
            parents: shared.parents.clone(),
            run: shared.maker.to_string(),
            source,
            created_at,
            tasks,
            ..Checkpoint::default()
        };
        let changes = together(std::mem::take(&mut self.carried), changes);
        self.position.save(self.graph, &changes, &mut checkpoint);
        if branch.is_some() {
            // A branch stands on its own: what its list has in common with others may differ.
            let all = checkpoint.values.keys().map(|key| (Arc::clone(key), Change::Replaced));
            checkpoint.changed = all.collect();
        }
        Some(checkpoint)
    }

    async fn keep(
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

    /// A pause comes before the limit: it ends the run just as well, and must not be passed by
    /// going on after the limit.
    fn standing(&self, ran: &[NodeIndex]) -> Standing {
        let after = *self.pause_after != Pauses::None
            && ran.iter().any(|node| self.pause_after.has(&self.graph.nodes[*node].name));
        if after || self.position.is_paused(self.graph, self.pause_before) {
            return Standing::Paused;
        }
        self.standing_unpaused()
    }

    fn standing_unpaused(&self) -> Standing {
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

    pub(super) fn place(
        &self,
        node: Arc<str>,
        triggers: Arc<[Arc<str>]>,
        path: TaskPath,
    ) -> Place {
        Place {
            shared: Arc::clone(&self.shared),
            node,
            triggers,
            step: self.step(),
            checkpoint: self.head.as_ref().map(|head| Arc::clone(&head.id)),
            path,
        }
    }

    pub(super) fn place_of(&self, task: &Task) -> Place {
        let spec = &self.graph.nodes[task.node];
        self.place(Arc::clone(&spec.name), Arc::clone(&spec.triggers), task.path())
    }
}

/// Earlier and later changes as one.
fn together(mut earlier: Changes, later: &Changes) -> Changes {
    for (key, change) in later {
        match earlier.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = known.then(*change),
            None => earlier.push((*key, *change)),
        }
    }
    earlier
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
