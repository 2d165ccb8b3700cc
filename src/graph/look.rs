//! Looking at a thread without running it.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::Value;

use super::engine::{Position, live};
use super::{
    At, Checkpoint, Graph, HistoryFilter, Memory, RunError, Saver, Snapshot, Source, StateSnapshot,
    TaskInfo, TaskPath, TaskRecord, TaskSnapshot, ids,
};

/// Whether the states of graphs within are wanted as well.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Depth {
    Flat,
    WithSubgraphs,
}

impl Graph {
    /// A thread at a checkpoint. An unknown thread has an empty state.
    ///
    /// # Errors
    /// When the checkpoint does not exist or does not fit this graph, or cannot be loaded.
    pub async fn state(&self, saver: &dyn Saver, at: &At) -> Result<StateSnapshot, RunError> {
        self.look(saver, at, Depth::Flat).await
    }

    /// As [`state`](Self::state), with the states of the graphs that its tasks run.
    ///
    /// # Errors
    /// As [`state`](Self::state).
    pub async fn state_with_subgraphs(
        &self,
        saver: &dyn Saver,
        at: &At,
    ) -> Result<StateSnapshot, RunError> {
        self.look(saver, at, Depth::WithSubgraphs).await
    }

    /// The checkpoints of a thread that the filter lets through, newest first. Of `at` only the
    /// namespace counts.
    ///
    /// # Errors
    /// When they cannot be loaded, or do not fit this graph.
    pub async fn history(
        &self,
        saver: &dyn Saver,
        at: &At,
        filter: &HistoryFilter,
    ) -> Result<Vec<StateSnapshot>, RunError> {
        let (graph, namespace) = self.within(&at.namespace)?;
        let all = saver.history(&namespace).await?;
        let before = match &filter.before {
            None => 0,
            Some(id) => match all.iter().position(|snapshot| snapshot.checkpoint.id == *id) {
                Some(place) => place + 1,
                None => return Err(RunError::UnknownCheckpoint { id: id.clone() }),
            },
        };
        let wanted = (before..all.len()).filter(|place| filter.wants(&all[*place].checkpoint));
        let wanted = wanted.take(filter.limit.unwrap_or(usize::MAX));
        let after = following(&all);
        wanted.map(|place| graph.record(&all[place], &after)).collect()
    }

    fn look<'a>(
        &'a self,
        saver: &'a dyn Saver,
        at: &'a At,
        depth: Depth,
    ) -> BoxFuture<'a, Result<StateSnapshot, RunError>> {
        async move {
            let (graph, namespace) = self.within(&at.namespace)?;
            let latest = At::latest().within(namespace.clone());
            let latest = saver.load(&latest).await?;
            let mut snapshot = match (&at.checkpoint, latest) {
                (None, None) => return Ok(graph.nothing()),
                (None, Some(latest)) => graph.live(latest)?,
                (Some(id), _) => {
                    let all = saver.history(&namespace).await?;
                    let named = all.iter().find(|snapshot| snapshot.checkpoint.id == *id);
                    let Some(named) = named else {
                        return Err(RunError::UnknownCheckpoint { id: id.clone() });
                    };
                    graph.record(named, &following(&all))?
                }
            };
            if depth == Depth::WithSubgraphs {
                for task in &mut snapshot.tasks {
                    let Some(namespace) = &task.namespace else { continue };
                    let at = At::latest().within(namespace.clone());
                    let inner = self.look(saver, &at, depth).await?;
                    task.inner = inner.checkpoint.is_some().then(|| Box::new(inner));
                }
            }
            Ok(snapshot)
        }
        .boxed()
    }

    /// The graph that runs under a namespace of this one, and where it is kept: a graph with a
    /// memory of its own is the same for every task that runs it.
    pub(super) fn within(&self, namespace: &str) -> Result<(&Self, String), RunError> {
        let (mut graph, mut kept) = (self, Vec::new());
        for part in namespace.split('|').filter(|part| !part.is_empty()) {
            // A number tells graphs apart that one node runs.
            if part.parse::<usize>().is_ok() {
                kept.push(part);
                continue;
            }
            let name = part.split(':').next().unwrap_or(part);
            let node = graph.find(name).and_then(|node| graph.nodes[node].node.subgraph());
            graph = node.ok_or_else(|| RunError::UnknownNode { node: part.to_owned() })?;
            kept.push(if graph.memory == Memory::Own { name } else { part });
        }
        Ok((graph, kept.join("|")))
    }

    fn nothing(&self) -> StateSnapshot {
        StateSnapshot {
            values: super::State::sent(Arc::new(serde_json::json!({}))),
            next: Vec::new(),
            checkpoint: None,
            parent: None,
            source: None,
            step: None,
            run: None,
            parents: Vec::new(),
            created_at: None,
            tasks: Vec::new(),
            interrupts: Vec::new(),
        }
    }

    fn live(&self, snapshot: Snapshot) -> Result<StateSnapshot, RunError> {
        let Snapshot { checkpoint, tasks: records, .. } = snapshot;
        let mut position = Position::restore(self, checkpoint.clone())?;
        let planned = position.with_command(self, &records)?;
        let tasks = self.tasks(&checkpoint, &planned, &records, TaskRecord::answerable);
        live(self, &mut position, &records)?;
        let unfinished = tasks.iter().filter(|task| task.result.is_none());
        let next = unfinished.map(|task| Arc::clone(&task.name)).collect();
        Ok(self.shown(checkpoint, position.state(), next, tasks))
    }

    fn record(
        &self,
        snapshot: &Snapshot,
        following: &Following<'_>,
    ) -> Result<StateSnapshot, RunError> {
        let checkpoint = snapshot.checkpoint.clone();
        let mut records = snapshot.tasks.clone();
        // What the first of those that followed was made of comes last, and stays.
        for record in following.get(&*checkpoint.id).into_iter().flatten().copied().flatten() {
            let known = records.iter().position(|known| known.task == record.task);
            let before = known.map(|place| records.remove(place)).unwrap_or_default();
            records.push(record.clone().after(before));
        }
        let mut position = Position::restore(self, checkpoint.clone())?;
        // A command's writes show here; what it led to was never planned from this checkpoint alone.
        let planned = position.with_command(self, &[])?;
        position.take_command(self, &records)?;
        let state = position.state();
        let tasks = self.tasks(&checkpoint, &planned, &records, TaskRecord::last_asked);
        let next = tasks.iter().map(|task| Arc::clone(&task.name)).collect();
        Ok(self.shown(checkpoint, state, next, tasks))
    }

    fn shown(
        &self,
        checkpoint: Checkpoint,
        values: super::State,
        next: Vec<Arc<str>>,
        tasks: Vec<TaskSnapshot>,
    ) -> StateSnapshot {
        let reference = checkpoint.reference();
        StateSnapshot {
            values,
            next,
            parent: checkpoint.parent_reference(),
            checkpoint: Some(reference),
            source: Some(checkpoint.source),
            step: Some(checkpoint.step),
            run: Some(checkpoint.run),
            parents: checkpoint.parents,
            created_at: Some(checkpoint.created_at),
            interrupts: tasks.iter().flat_map(|task| task.interrupts.clone()).collect(),
            tasks,
        }
    }

    /// What a task wrote to the keys that are kept.
    fn kept(&self, record: &TaskRecord) -> Option<Value> {
        let mut result = record.result()?;
        if let Value::Object(writes) = &mut result {
            writes.retain(|key, _| {
                self.keys.index(key).is_none_or(|key| self.keys.reducer(key).is_saved())
            });
        }
        Some(result)
    }

    fn tasks(
        &self,
        checkpoint: &Checkpoint,
        planned: &[(Arc<str>, TaskPath)],
        records: &[TaskRecord],
        interrupts: impl Fn(&TaskRecord) -> Vec<super::Interrupt>,
    ) -> Vec<TaskSnapshot> {
        let order = |(name, path): &(Arc<str>, TaskPath)| match path {
            TaskPath::Sent(place) => (0, *place),
            TaskPath::Edge => {
                (1, self.find(name).map(|node| self.nodes[node].defined).unwrap_or_default())
            }
        };
        let mut planned: Vec<_> = planned.iter().collect();
        planned.sort_by_key(|task| order(task));
        let task = |(name, path): &(Arc<str>, TaskPath)| {
            let (namespace, step) = (&checkpoint.namespace, checkpoint.step + 1);
            let id = ids::task(&checkpoint.id, namespace, step, name, path.sent());
            let known = records.iter().find(|record| record.task == id);
            let graph = self.find(name).and_then(|node| self.nodes[node].node.subgraph());
            let info = TaskInfo {
                id: id.clone(),
                node: Arc::clone(name),
                step,
                namespace: namespace.as_str().into(),
                path: *path,
                triggers: Arc::default(),
            };
            TaskSnapshot {
                namespace: graph.map(|_| info.own_namespace()),
                id,
                name: Arc::clone(name),
                path: *path,
                error: known.and_then(|record| record.error.clone()),
                interrupts: known.map(&interrupts).unwrap_or_default(),
                result: known
                    .filter(|record| !record.is_handled())
                    .and_then(|record| self.kept(record)),
                inner: None,
            }
        };
        planned.into_iter().map(task).collect()
    }
}

/// What the checkpoints that followed each one were made of, newest first, by its id.
type Following<'a> = BTreeMap<&'a str, Vec<&'a Vec<TaskRecord>>>;

fn following(all: &[Snapshot]) -> Following<'_> {
    let mut following = Following::new();
    for after in all.iter().map(|snapshot| &snapshot.checkpoint) {
        if let (Some(parent), true) = (&after.parent, after.source != Source::Fork) {
            following.entry(parent).or_default().push(&after.tasks);
        }
    }
    following
}

impl HistoryFilter {
    fn wants(&self, checkpoint: &Checkpoint) -> bool {
        self.source.is_none_or(|source| source == checkpoint.source)
            && self.step.is_none_or(|step| step == checkpoint.step)
            && self.run.as_ref().is_none_or(|run| *run == checkpoint.run)
    }
}
