//! Makes checkpoints of positions.

use std::sync::Arc;

use super::fold::Changes;
use super::position::Position;
use crate::graph::{Change, Checkpoint, CheckpointRef, Graph, Source, TaskRecord, ids};

/// What a checkpoint is besides a position.
pub(in crate::graph) struct Making<'a> {
    pub(in crate::graph) source: Source,
    /// The run, or the task that runs the graph.
    pub(in crate::graph) maker: &'a str,
    pub(in crate::graph) namespace: &'a str,
    pub(in crate::graph) parents: &'a [CheckpointRef],
    pub(in crate::graph) parent: Option<&'a str>,
    /// What keeps it apart from what else followed its parent; the thread's latest checkpoint, if
    /// that is not its parent.
    pub(in crate::graph) branch: Option<&'a str>,
    pub(in crate::graph) created_at: i64,
}

impl Making<'_> {
    pub(in crate::graph) fn make(
        self,
        graph: &Graph,
        position: &Position,
        changes: &Changes,
        tasks: Vec<TaskRecord>,
    ) -> Checkpoint {
        let (step, branch) = (position.step, self.branch);
        let id = ids::checkpoint(self.parent, self.namespace, self.maker, step, branch);
        let mut checkpoint = Checkpoint {
            id,
            parent: self.parent.map(str::to_owned),
            namespace: self.namespace.to_owned(),
            parents: self.parents.to_vec(),
            run: self.maker.to_owned(),
            source: self.source,
            created_at: self.created_at,
            tasks,
            ..Checkpoint::default()
        };
        position.save(graph, changes, &mut checkpoint);
        checkpoint
    }
}

impl Checkpoint {
    /// Says of every value that it is new: what a branch begins with stands on its own, since what
    /// its lists have in common with those of other branches is not known to those who store it.
    pub(in crate::graph) fn stand_alone(&mut self) {
        let all = self.values.keys().map(|key| (Arc::clone(key), Change::Replaced));
        self.changed = all.collect();
    }
}
