//! One task: a node runs, asks or fails, and its routes say where it leads.

use std::sync::Arc;

use super::advance::failure;
use super::drive::Engine;
use super::fold::{Folding, prepare};
use super::lead::{self, Astray, Lead};
use super::position::Task;
use crate::graph::context::{Before, Place};
use crate::graph::error::{Cause, with_causes};
use crate::graph::graph::NodeSpec;
use crate::graph::{
    By, Context, Done, Event, NodeError, RunError, State, TaskError, TaskRecord, Update,
};

/// How far a task came.
pub(super) enum Outcome {
    Finished(Finished),
    /// At least one of the questions has no answer, or a graph within is paused.
    Asking(Box<TaskRecord>),
    Failed {
        record: Box<TaskRecord>,
        error: Box<RunError>,
    },
    /// It hands a command to the graph that runs this one.
    Handed {
        record: Box<TaskRecord>,
        update: Update,
    },
}

pub(super) struct Finished {
    pub(super) update: Update,
    /// Where routes and jumps lead; the node's plain edges are the graph's to know.
    pub(super) leads: Vec<Lead>,
    pub(super) by: By,
    /// What is to be kept besides, if there is anything.
    pub(super) record: Option<Box<TaskRecord>>,
    /// It was finished before this run, and saved.
    pub(super) cached: bool,
}

/// How one try of a task ended.
pub(super) enum Tried {
    Finished {
        update: Update,
        leads: Vec<Lead>,
    },
    Asking,
    Handed(Update),
    Failed(NodeError),
    /// What no further try mends.
    Broken(Box<RunError>),
}

impl Engine<'_> {
    /// Runs a task, unless the record says it is finished.
    pub(super) async fn attempt(&self, task: &Task, record: Option<TaskRecord>) -> Outcome {
        let spec = &self.graph.nodes[task.node];
        let mut handling = None;
        let (before, earlier) = match record {
            None => (Before::default(), None),
            Some(mut record) => {
                if let Some(done) = record.done.take() {
                    return self.give_back(task, record, done);
                }
                let earlier = record.error.take();
                handling = record.handling.take();
                (Before::of(record), earlier)
            }
        };
        let state = match &task.sent {
            Some(sent) => State::sent(Arc::clone(&sent.arg)),
            None => self.position.values.managed(self.step(), self.last_step).into(),
        };
        let place = self.place_of(task);
        if let Some(care) = &spec.care {
            return match (handling, &care.on_error) {
                (Some(told), Some(handler)) => {
                    let failed = Context::new(place, 1, None, before);
                    self.stand_in(spec, handler, failed, state, told).await
                }
                (_, _) => self.attempt_with_care(spec, care, place, state, before, earlier).await,
            };
        }
        let context = Context::new(place, 1, None, before);
        let tried = self.try_node(spec, &context, &state).await;
        self.conclude(spec, &context, tried, earlier)
    }

    /// One try. What it asks decides first: a node that swallows an interrupt has not finished.
    pub(super) async fn try_node(
        &self,
        spec: &NodeSpec,
        context: &Context,
        state: &State,
    ) -> Tried {
        if self.shared.heard {
            let (task, attempt) = (context.info(), context.attempt());
            self.shared.tell(Event::NodeStarted { task, input: state, attempt });
        }
        let result = spec.node.run(context, state.clone()).await;
        self.judge(spec, context, state, result)
    }

    /// Checks what a node returned and asks its routes, which see its writes and nobody else's.
    pub(super) fn judge(
        &self,
        spec: &NodeSpec,
        context: &Context,
        state: &State,
        result: Result<Update, NodeError>,
    ) -> Tried {
        if context.is_waiting() {
            return Tried::Asking;
        }
        let update = match result {
            Ok(Update { parent: Some(update), .. }) => return Tried::Handed(*update),
            Ok(update) => update,
            Err(NodeError(Cause::Handed(update))) => *update,
            Err(NodeError(Cause::Stopped(error))) => return Tried::Broken(error),
            Err(error) => return Tried::Failed(error),
        };
        match self.follow(spec, context, state, update) {
            Ok((update, leads)) => Tried::Finished { update, leads },
            Err(Astray::Failed(error)) => Tried::Failed(error),
            Err(Astray::Unknown(error)) => Tried::Broken(Box::new(error)),
        }
    }

    fn follow(
        &self,
        spec: &NodeSpec,
        context: &Context,
        state: &State,
        mut update: Update,
    ) -> Result<(Update, Vec<Lead>), Astray> {
        let graph = self.graph;
        if spec.node.subgraph().is_some() {
            // The other keys are the graph's own.
            update.writes.retain(|(key, _)| graph.keys.index(key).is_some());
        }
        let returned = self.shared.heard.then(|| update.clone());
        let jumps = std::mem::take(&mut update.goto);
        let task = || context.task_id().to_owned();
        prepare(graph, &spec.name, &mut update, graph.unknown, task).map_err(Astray::Unknown)?;
        let mut leads = Vec::new();
        let by_handler = context.error().is_some();
        if !spec.exits.routes.is_empty() && !by_handler {
            let mut values = self.position.values.clone();
            let fold = Folding::of(graph).fold(&mut values, &spec.name, update.clone());
            fold.map_err(Astray::Unknown)?;
            let state = values.into();
            leads = lead::follow(graph, &spec.exits.routes, &spec.name, &state, Some(context))?;
        }
        leads.extend(lead::jump(graph, &spec.name, jumps).map_err(Astray::Unknown)?);
        if let Some(returned) = &returned {
            let task = context.info();
            self.shared.tell(Event::NodeFinished { task, input: state, returned, update: &update });
        }
        Ok((update, leads))
    }

    /// The outcome of a task whose last try this was.
    pub(super) fn conclude(
        &self,
        spec: &NodeSpec,
        context: &Context,
        tried: Tried,
        earlier: Option<TaskError>,
    ) -> Outcome {
        let step = self.step();
        match tried {
            Tried::Finished { update, leads } => {
                let record = (!context.is_plain() || earlier.is_some()).then(|| {
                    let mut record = context.record();
                    record.error = earlier;
                    // It will not start again.
                    record.steps.clear();
                    Box::new(record)
                });
                Outcome::Finished(Finished { update, leads, by: By::Node, record, cached: false })
            }
            Tried::Asking => {
                let record = context.record();
                if self.shared.heard {
                    let interrupts = record.interrupts();
                    self.shared.tell(Event::NodeInterrupted {
                        task: context.info(),
                        interrupts: &interrupts,
                        state: &self.position.state(),
                    });
                }
                Outcome::Asking(Box::new(record))
            }
            Tried::Handed(update) => Outcome::Handed { record: Box::new(context.record()), update },
            Tried::Failed(error) => self.fail(context, failure(&spec.name, step, error)),
            Tried::Broken(error) => self.fail(context, *error),
        }
    }

    fn fail(&self, context: &Context, error: RunError) -> Outcome {
        if let RunError::Drained { .. } | RunError::Save(_) = error {
            // Nothing is wrong with the task.
            let record = Box::new(context.record());
            return Outcome::Failed { record, error: Box::new(error) };
        }
        let told = task_error(context.node(), &error);
        if self.shared.heard {
            self.shared.tell(Event::NodeFailed { task: context.info(), error: &told });
        }
        let mut record = Box::new(context.record());
        record.error = Some(told);
        Outcome::Failed { record, error: Box::new(error) }
    }

    /// The outcome of a task that was finished before this run.
    fn give_back(&self, task: &Task, record: TaskRecord, done: Done) -> Outcome {
        let Done { update, targets, by } = done;
        let node = &self.graph.nodes[task.node].name;
        match lead::jump(self.graph, node, targets) {
            Ok(leads) => {
                let record = Some(Box::new(record));
                Outcome::Finished(Finished { update, leads, by, record, cached: true })
            }
            Err(error) => Outcome::Failed { record: Box::new(record), error: Box::new(error) },
        }
    }

    /// What is kept of a task that is done.
    pub(super) fn finished_record(&self, task: &Task, finished: &Finished) -> TaskRecord {
        let place: Place;
        let mut record = match &finished.record {
            Some(record) => TaskRecord::clone(record),
            None => {
                place = self.place_of(task);
                TaskRecord {
                    task: place.task_id(),
                    node: Arc::clone(&place.node),
                    sent: place.path.sent(),
                    ..TaskRecord::default()
                }
            }
        };
        let targets = finished.leads.iter().map(|lead| lead.target(self.graph)).collect();
        record.done = Some(Done { update: finished.update.clone(), targets, by: finished.by });
        record
    }
}

/// What is kept of a task's failure.
pub(super) fn task_error(node: &str, error: &RunError) -> TaskError {
    match error {
        RunError::Node { kind, source, .. } => TaskError {
            node: node.to_owned(),
            class: kind.clone().into_owned(),
            message: with_causes(&**source),
        },
        error => TaskError {
            node: node.to_owned(),
            class: error.kind().to_owned(),
            message: with_causes(error),
        },
    }
}

impl TaskError {
    /// Of a try that may be followed by another.
    pub(super) fn of_try(node: &str, error: &NodeError) -> Self {
        Self { node: node.to_owned(), class: error.kind().to_owned(), message: error.text() }
    }
}
