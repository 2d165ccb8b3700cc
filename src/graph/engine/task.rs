//! One task: a node runs, asks or fails, and its routes say where it leads.

use std::sync::Arc;

use serde_json::Value;

use super::Engine;
use super::position::{Task, check_keys, fold};
use crate::graph::context::Asked;
use crate::graph::graph::NodeIndex;
use crate::graph::node::Cause;
use crate::graph::{
    Context, Event, Graph, Interrupt, NodeError, Question, Route, RunError, SendTo, State, Target,
    TaskOutcome, Update, ids,
};

/// How far a task came.
pub(super) enum Outcome {
    Finished(Finished),
    /// At least one of the questions has no answer.
    Asking {
        questions: Vec<Question>,
    },
    Failed {
        questions: Vec<Question>,
        error: RunError,
    },
}

pub(super) struct Finished {
    pub(super) update: Update,
    /// Where routes and jumps lead; the node's plain edges are the graph's to know.
    pub(super) leads: Vec<Lead>,
    /// The ids of the interrupts whose answers it used.
    pub(super) answered: Vec<String>,
    /// It was finished before this run, and saved.
    pub(super) cached: bool,
}

/// A target that is known to exist.
#[derive(Clone)]
pub(super) enum Lead {
    Node(NodeIndex),
    Send(NodeIndex, Arc<Value>),
}

impl Engine<'_> {
    /// Runs a task, unless the record says it is finished. What it asks decides first: a node that
    /// swallows an interrupt has not finished.
    pub(super) async fn attempt(&self, task: &Task, record: Option<TaskOutcome>) -> Outcome {
        let node = &self.graph.nodes[task.node].name;
        let step = self.step();
        let before = match record {
            Some(TaskOutcome::Finished { update, targets, answered }) => {
                return self.give_back(task, update, targets, answered);
            }
            Some(TaskOutcome::Asking { questions } | TaskOutcome::Failed { questions }) => {
                let asked = |Question { value, answer, .. }| Asked { value, answer };
                questions.into_iter().map(asked).collect()
            }
            None => Vec::new(),
        };
        self.events.event(Event::NodeStarted { step, node });
        let (run, events) = (Arc::clone(&self.limits.run), Arc::clone(&self.events));
        let context = Context::new(Arc::clone(node), run, step, events, before);
        let state = match &task.sent {
            Some(sent) => State::sent(Arc::clone(&sent.arg)),
            None => self.position.state(),
        };
        let result = self.graph.nodes[task.node].node.run(&context, state).await;
        let questions = self.questions(task, context.all_asked());
        if context.is_waiting() {
            return self.asking(task, questions);
        }
        match self.conclude(task, result) {
            Ok((update, leads)) => {
                self.events.event(Event::NodeFinished {
                    step,
                    node,
                    update: &update,
                    cached: false,
                });
                let answered = questions.into_iter().map(|question| question.id).collect();
                Outcome::Finished(Finished { update, leads, answered, cached: false })
            }
            Err(error) => {
                self.events.event(Event::NodeFailed { step, node });
                Outcome::Failed { questions, error }
            }
        }
    }

    /// Checks what a node returned and asks its routes, which see its writes and nobody else's.
    fn conclude(
        &self,
        task: &Task,
        result: Result<Update, NodeError>,
    ) -> Result<(Update, Vec<Lead>), RunError> {
        let (graph, spec) = (self.graph, &self.graph.nodes[task.node]);
        let mut update = result.map_err(|error| failure(&spec.name, self.step(), error))?;
        check_keys(graph, &spec.name, &update)?;
        let jumps = std::mem::take(&mut update.goto);
        if spec.exits.routes.is_empty() && jumps.is_empty() {
            return Ok((update, Vec::new()));
        }
        let mut values = self.position.values.clone();
        fold(graph, &mut values, [(&spec.name, update.clone())])?;
        let state = values.into();
        let leads = follow(graph, &spec.exits.routes, &spec.name, self.step(), &state, jumps)?;
        Ok((update, leads))
    }

    /// The outcome of a task that was finished before this run.
    fn give_back(
        &self,
        task: &Task,
        update: Update,
        targets: Vec<Target>,
        answered: Vec<String>,
    ) -> Outcome {
        let (step, node) = (self.step(), &self.graph.nodes[task.node].name);
        let leads =
            targets.into_iter().filter_map(|target| lead(self.graph, node, target).transpose());
        match leads.collect() {
            Ok(leads) => {
                self.events.event(Event::NodeFinished {
                    step,
                    node,
                    update: &update,
                    cached: true,
                });
                Outcome::Finished(Finished { update, leads, answered, cached: true })
            }
            Err(error) => Outcome::Failed { questions: Vec::new(), error },
        }
    }

    fn asking(&self, task: &Task, questions: Vec<Question>) -> Outcome {
        let interrupts = self.open_interrupts(task, &questions);
        let (step, node) = (self.step(), &self.graph.nodes[task.node].name);
        self.events.event(Event::NodeInterrupted { step, node, interrupts: &interrupts });
        Outcome::Asking { questions }
    }

    /// The questions that have no answer, as they are surfaced.
    pub(super) fn open_interrupts(&self, task: &Task, questions: &[Question]) -> Vec<Interrupt> {
        let open = questions.iter().filter(|question| question.answer.is_none());
        let task_id = self.task_id(task);
        open.map(|question| Interrupt {
            id: question.id.clone(),
            task: task_id.clone(),
            node: Arc::clone(&self.graph.nodes[task.node].name),
            value: question.value.clone(),
        })
        .collect()
    }

    fn questions(&self, task: &Task, asked: Vec<Asked>) -> Vec<Question> {
        if asked.is_empty() {
            return Vec::new();
        }
        let task = self.task_id(task);
        let numbered = asked.into_iter().enumerate();
        let question = |(position, Asked { value, answer })| Question {
            id: ids::interrupt(&task, position),
            value,
            answer,
        };
        numbered.map(question).collect()
    }

    /// Without a saver there is no checkpoint; then the run alone makes the ids unique.
    pub(super) fn task_id(&self, task: &Task) -> String {
        let node = &self.graph.nodes[task.node].name;
        let place = task.sent.as_ref().map(|sent| sent.place);
        match &self.latest {
            Some(checkpoint) => ids::task(checkpoint, self.step(), node, place),
            None => {
                let checkpoint = ids::checkpoint(None, &self.limits.run, self.position.step);
                ids::task(&checkpoint, self.step(), node, place)
            }
        }
    }
}

impl Lead {
    /// The form in which it is saved.
    pub(super) fn target(&self, graph: &Graph) -> Target {
        let name = |node: &NodeIndex| graph.nodes[*node].name.to_string();
        match self {
            Self::Node(node) => Target::Node(name(node).into()),
            Self::Send(node, arg) => Target::Send(SendTo::new(name(node), Value::clone(arg))),
        }
    }
}

/// Where `routes` and `jumps` lead from `from`.
pub(super) fn follow(
    graph: &Graph,
    routes: &[Box<dyn Route>],
    from: &Arc<str>,
    step: i64,
    state: &State,
    jumps: Vec<Target>,
) -> Result<Vec<Lead>, RunError> {
    let mut leads = Vec::new();
    for route in routes {
        let targets = route.route(state).map_err(|error| failure(from, step, error))?;
        for target in targets {
            leads.extend(lead(graph, from, target)?);
        }
    }
    for target in jumps {
        leads.extend(lead(graph, from, target)?);
    }
    Ok(leads)
}

fn lead(graph: &Graph, from: &Arc<str>, target: Target) -> Result<Option<Lead>, RunError> {
    let find = |name: &str| {
        graph.find(name).ok_or_else(|| RunError::UnknownTarget {
            from: Arc::clone(from),
            target: name.to_owned(),
        })
    };
    Ok(match target {
        Target::End => None,
        Target::Node(name) => Some(Lead::Node(find(&name)?)),
        Target::Send(send) => Some(Lead::Send(find(&send.node)?, Arc::new(send.arg))),
    })
}

fn failure(node: &Arc<str>, step: i64, error: NodeError) -> RunError {
    let source = match error.0 {
        Cause::Failed(source) => source,
        // The task has no open question, so this one was asked by another task's context.
        Cause::Interrupted => "it returned an interrupt that it did not raise".into(),
    };
    RunError::Node { node: Arc::clone(node), step, source }
}
