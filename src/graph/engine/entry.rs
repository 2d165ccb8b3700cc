//! How an input comes in: it is noted as step −1, and distributed to the state keys as step 0.

use std::sync::Arc;

use serde_json::Value;

use super::advance::failed;
use super::fold::{Changes, Folding, prepare};
use super::lead;
use super::position::Position;
use crate::graph::checkpoint::COMMAND;
use crate::graph::graph::Unknown;
use crate::graph::{Done, Graph, RunError, START, TaskRecord, Update};

impl Position {
    /// Notes an input. What was pending is dropped.
    pub(in crate::graph) fn note(&mut self, graph: &Graph, raw: Value) {
        self.drop_pending(graph);
        self.step += 1;
        self.entering = Some(raw);
    }

    /// Distributes the input that was noted. `task` is the id of the entry's task.
    pub(super) fn distribute(
        &mut self,
        graph: &Graph,
        mut update: Update,
        task: &str,
    ) -> Result<(Changes, TaskRecord), RunError> {
        let start: Arc<str> = START.into();
        let raw = self.entering.take().unwrap_or_default();
        let jumps = std::mem::take(&mut update.goto);
        update.writes.retain(|(key, _)| graph.takes(key) || graph.keys.index(key).is_none());
        let unknown = match graph.input_keys {
            Some(_) => Unknown::Dropped,
            None => graph.unknown,
        };
        prepare(graph, &start, &mut update, unknown, || task.to_owned())?;
        let mut folding = Folding::of(graph);
        folding.fold(&mut self.values, &start, update)?;
        self.step += 1;
        self.ran.clear();
        let state = self.state();
        let mut leads = lead::follow(graph, &graph.entry.routes, &start, &state, None)
            .map_err(|astray| failed(&start, self.step, astray))?;
        leads.extend(lead::jump(graph, &start, jumps)?);
        for to in &graph.entry.edges {
            self.trigger(graph, *to);
        }
        self.lead(graph, leads);
        self.settle_due();
        // What is shown as the entry's result is the input as it was given, for the keys it may write.
        let mut shown = super::opening::input_update(&raw)?;
        shown.writes.retain(|(key, _)| graph.takes(key));
        let done = Done { update: shown, targets: Vec::new(), by: Default::default() };
        let record = TaskRecord {
            task: task.to_owned(),
            node: start,
            done: Some(done),
            ..TaskRecord::default()
        };
        Ok((folding.finish(&mut self.values), record))
    }
}

/// The command that hangs on a checkpoint, if one does, and everything else that does.
pub(super) fn part(tasks: Vec<TaskRecord>) -> (Option<TaskRecord>, Vec<TaskRecord>) {
    let (mut commands, rest): (Vec<_>, Vec<_>) =
        tasks.into_iter().partition(|record| record.task == COMMAND);
    (commands.pop(), rest)
}
