//! How a run begins: with new input, or with what is pending.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::drive::{Engine, Head, Standing};
use super::entry::part;
use super::fold::{add_changes, prepare};
use super::ledger::Ledger;
use super::opening::{Entering, GoingOn, Opening, input_update};
use super::position::Position;
use super::{Ended, Found, answers};
use crate::graph::checkpoint::command;
use crate::graph::shared::Shared;
use crate::graph::{
    Checkpoint, Graph, Pauses, RunError, START, Source, TaskPath, TaskRecord, Update,
};

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
            anchor: head.as_ref().map(|head| Arc::clone(&head.id)),
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
        self.position.note(self.graph, raw);
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
        let writes = changes.len();
        let distributed = self.checkpoint(Source::Loop, &changes, vec![record]);
        let standing = self.standing([]);
        let checkpoints = noted.into_iter().chain(distributed).collect();
        self.keep(checkpoints, Vec::new(), Vec::new(), standing).await?;
        self.tell_superstep(writes);
        Ok(standing)
    }

    /// Goes on with what is pending.
    async fn go_on(&mut self, going_on: GoingOn) -> Result<Ended, RunError> {
        let GoingOn { answers, command, passes_pause, told } = going_on;
        let (found, recorded) =
            (std::mem::take(&mut self.found), std::mem::take(&mut self.recorded));
        let mut records = self.align(found)?;
        let (offered, stray) = (&self.shared.offered, self.shared.stray);
        answers::put(&mut records, recorded, offered, answers, stray)?;
        self.fork().await?;
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
        let standing = match self.standing(self.position.ran.iter().copied()) {
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
        prepare(self.graph, &start, &mut update, self.graph.unknown, || task.clone())?;
        let targets = std::mem::take(&mut update.goto);
        let mut record = command(targets, update);
        if let Some(done) = record.done.clone() {
            let changes = self.position.command(self.graph, done)?;
            add_changes(&mut self.carried, &changes);
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
        let mut known: BTreeMap<String, TaskRecord> =
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
}
