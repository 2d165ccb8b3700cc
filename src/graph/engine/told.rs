//! What those who watch are told between two supersteps.

use std::sync::Arc;

use serde_json::Value;

use super::drive::Engine;
use super::position::Task;
use super::task::task_error;
use crate::graph::shared::Shared;
use crate::graph::{
    CheckpointRef, Event, Planned, PlannedTask, RunError, START, State, TaskPath, TaskRecord,
    TaskStart,
};

impl Engine<'_> {
    pub(super) fn tell_start(&self, input: Option<&Value>) {
        if self.shared.heard {
            let (namespace, graph) = (&self.shared.namespace, &*self.graph.name);
            let output_keys = self.graph.output_key_names();
            let output_keys = output_keys.as_deref();
            self.shared.tell(Event::RunStarted { namespace, graph, input, output_keys });
        }
    }

    pub(super) fn tell_resumed(&self) {
        if self.shared.heard {
            let (namespace, state) = (&self.shared.namespace, self.position.state());
            self.shared.tell(Event::Resumed { namespace, state: &state });
        }
    }

    /// `writes` is how many writes to state keys the superstep had.
    pub(super) fn tell_superstep(&self, writes: usize) {
        if self.shared.heard {
            let wrote = writes > 0;
            let (namespace, step) = (&self.shared.namespace, self.position.step);
            let state = &self.position.state();
            self.shared.tell(Event::SuperstepFinished { namespace, step, state, wrote });
        }
    }

    pub(super) fn tell_finished(&self, state: &State) {
        if self.shared.heard {
            let output = self.graph.output(state);
            let namespace = &self.shared.namespace;
            self.shared.tell(Event::RunFinished { namespace, output: &output });
        }
    }

    pub(super) fn tell_tasks(&self, tasks: &[Task]) {
        if !self.shared.heard {
            return;
        }
        let starts: Vec<_> = sent_first(tasks)
            .map(|task| TaskStart {
                task: self.place_of(task).info(),
                input: match &task.sent {
                    Some(sent) => State::sent(Arc::clone(&sent.arg)),
                    None => self.position.values.managed(self.step(), self.last_step).into(),
                },
            })
            .collect();
        let (namespace, step) = (&self.shared.namespace, self.step());
        self.shared.tell(Event::SuperstepStarted { namespace, step, tasks: &starts });
    }

    /// Tells what is done already, after the tasks were told and before they run.
    pub(super) fn tell_cached(&self, tasks: &[Task], records: &[Option<TaskRecord>]) {
        if !self.shared.heard {
            return;
        }
        for (task, record) in tasks.iter().zip(records) {
            if let Some(done) = record.as_ref().and_then(|record| record.done.as_ref()) {
                let (task, update) = (&self.place_of(task).info(), &done.update);
                self.shared.tell(Event::NodeCached { task, update });
            }
        }
    }

    /// Tells the latest checkpoint with what is planned from it, if anything is kept.
    pub(super) fn tell_plan(&self, records: &[Option<TaskRecord>]) {
        let (true, Some(head)) = (self.shared.heard, &self.head) else {
            return;
        };
        let reference = |id: &Arc<str>| CheckpointRef {
            id: id.to_string(),
            namespace: self.shared.namespace.to_string(),
        };
        let planned = Planned {
            checkpoint: reference(&head.id),
            parent: head.parent.as_ref().map(reference),
            parents: self.shared.parents.clone(),
            run: Arc::clone(&self.shared.run),
            source: head.source,
            step: self.position.step,
            created_at: head.created_at,
            state: self.position.state(),
            tasks: self.planned(records),
        };
        self.shared.tell(Event::Planned { checkpoint: &planned });
    }

    fn planned(&self, records: &[Option<TaskRecord>]) -> Vec<PlannedTask> {
        if self.position.entering.is_some() {
            let place = self.place(START.into(), Arc::default(), TaskPath::Edge);
            return vec![PlannedTask {
                id: place.task_id(),
                name: place.node,
                namespace: None,
                error: None,
                interrupts: Vec::new(),
                result: None,
            }];
        }
        let tasks = self.position.tasks();
        let known = |place: usize| records.get(place).and_then(Option::as_ref);
        let numbered: Vec<_> = tasks.iter().enumerate().collect();
        let (due, sent): (Vec<_>, Vec<_>) =
            numbered.into_iter().partition(|(_, task)| task.sent.is_none());
        let in_order = sent.into_iter().chain(due);
        in_order
            .map(|(place, task)| {
                let info = self.place_of(task).info();
                let graph = self.graph.nodes[task.node].node.subgraph();
                PlannedTask {
                    namespace: graph.map(|graph| graph.namespace_in(&info)),
                    error: known(place).and_then(|record| record.error.clone()),
                    interrupts: known(place).map(TaskRecord::last_asked).unwrap_or_default(),
                    result: known(place).and_then(TaskRecord::result),
                    id: info.id,
                    name: info.node,
                }
            })
            .collect()
    }
}

pub(super) fn failed(shared: &Shared, error: &RunError) {
    if shared.heard {
        let error = task_error("", error);
        shared.tell(Event::RunFailed { namespace: &shared.namespace, error: &error });
    }
}

/// Tasks in the order in which they start: sent ones first.
fn sent_first(tasks: &[Task]) -> impl Iterator<Item = &Task> {
    let sent = tasks.iter().filter(|task| task.sent.is_some());
    sent.chain(tasks.iter().filter(|task| task.sent.is_none()))
}
