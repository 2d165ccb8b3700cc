//! Where a thread stands between two supersteps.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::fold::Changes;
use super::lead::Lead;
use crate::graph::checkpoint::COMMAND;
use crate::graph::graph::NodeIndex;
use crate::graph::values::Values;
use crate::graph::{
    Checkpoint, Graph, Pauses, RunError, START, SendTo, State, TaskPath, TaskRecord,
};

/// A checkpoint in the form the engine works on: names are places, values are shared.
pub(in crate::graph) struct Position {
    /// The number of the last superstep; −2 before the first input, as in LangGraph.
    pub(super) step: i64,
    pub(super) values: Values,
    /// An input that is still to be taken at the entry.
    pub(super) entering: Option<Value>,
    /// Nodes that are due by an edge, in the order of their names, each once.
    pub(super) due: Vec<NodeIndex>,
    pub(super) sends: Vec<(NodeIndex, Arc<Value>)>,
    /// Nodes that are due once nothing else is.
    pub(super) deferred: Vec<NodeIndex>,
    /// For each join of the graph, by which of its nodes it has been reached.
    pub(super) joins: Vec<BTreeSet<NodeIndex>>,
    /// The nodes that edges led to in the last superstep that had such.
    pub(super) ran: Vec<NodeIndex>,
}

/// One execution of a node.
pub(super) struct Task {
    pub(super) node: NodeIndex,
    pub(super) sent: Option<Sent>,
}

/// What makes a task that was sent differ from one that an edge led to.
pub(super) struct Sent {
    /// Its place among those sent for this superstep.
    pub(super) place: usize,
    pub(super) arg: Arc<Value>,
}

impl Task {
    pub(super) fn path(&self) -> TaskPath {
        match &self.sent {
            None => TaskPath::Edge,
            Some(sent) => TaskPath::Sent(sent.place),
        }
    }
}

impl Position {
    pub(in crate::graph) fn fresh(graph: &Graph) -> Self {
        Self {
            step: -2,
            values: Values::initial(&graph.keys),
            entering: None,
            due: Vec::new(),
            sends: Vec::new(),
            deferred: Vec::new(),
            joins: vec![BTreeSet::new(); graph.joins.len()],
            ran: Vec::new(),
        }
    }

    /// Of a thread that an update begins.
    pub(in crate::graph) fn before_update(graph: &Graph) -> Self {
        Self { step: -1, ..Self::fresh(graph) }
    }

    pub(in crate::graph) fn restore(graph: &Graph, saved: Checkpoint) -> Result<Self, RunError> {
        let foreign = |what| RunError::ForeignCheckpoint { what };
        let node = |name: &str| {
            graph.find(name).ok_or_else(|| foreign(format!("it names the unknown node {name}")))
        };
        let nodes = |names: &[Arc<str>]| -> Result<Vec<NodeIndex>, RunError> {
            let mut nodes: Vec<_> =
                names.iter().map(|name| node(name)).collect::<Result<_, _>>()?;
            sort(&mut nodes);
            Ok(nodes)
        };
        let values = Values::restore(&graph.keys, saved.values)
            .map_err(|key| foreign(format!("its value of the state key {key} is unknown here")))?;
        let mut position = Self {
            step: saved.step,
            values,
            entering: saved.entering,
            due: nodes(&saved.due)?,
            deferred: nodes(&saved.deferred)?,
            ran: saved.ran.iter().filter_map(|name| graph.find(name)).collect(),
            ..Self::fresh(graph)
        };
        for send in saved.sends {
            position.sends.push((node(&send.node)?, Arc::new(send.arg)));
        }
        for (name, reached) in saved.joins {
            let Some(place) = graph.joins.iter().position(|join| join.name == name) else {
                return Err(foreign(format!("it names the unknown join {name}")));
            };
            for by in reached {
                position.joins[place].insert(node(&by)?);
            }
        }
        Ok(position)
    }

    /// Writes everything of this position into a checkpoint.
    pub(super) fn save(&self, graph: &Graph, changes: &Changes, into: &mut Checkpoint) {
        let name = |node: &NodeIndex| Arc::clone(&graph.nodes[*node].name);
        let names = |nodes: &[NodeIndex]| nodes.iter().map(name).collect();
        let sends = self.sends.iter().map(|(node, arg)| {
            let node = graph.nodes[*node].name.to_string();
            SendTo::new(node, Value::clone(arg))
        });
        let half_filled = graph.joins.iter().zip(&self.joins).filter(|(_, by)| !by.is_empty());
        let joins =
            half_filled.map(|(join, by)| (Arc::clone(&join.name), by.iter().map(name).collect()));
        let saved = changes.iter().filter(|(key, _)| graph.keys.reducer(*key).is_saved());
        into.step = self.step;
        into.values = self.values.save();
        into.changed =
            saved.map(|(key, change)| (Arc::clone(graph.keys.name(*key)), *change)).collect();
        into.entering.clone_from(&self.entering);
        into.due = names(&self.due);
        into.sends = sends.collect();
        into.deferred = names(&self.deferred);
        into.joins = joins.collect();
        into.ran = names(&self.ran);
    }

    /// Lets a superstep pass in which nothing runs.
    pub(in crate::graph) fn pass_step(&mut self) {
        self.step += 1;
    }

    /// Lets a superstep pass after which nothing runs.
    pub(in crate::graph) fn close(&mut self, graph: &Graph) {
        self.drop_pending(graph);
        self.pass_step();
    }

    pub(in crate::graph) fn next_step(&self) -> i64 {
        self.step + 1
    }

    /// The nodes that edges led to in the last superstep that had such.
    pub(in crate::graph) fn ran(&self) -> &[NodeIndex] {
        &self.ran
    }

    /// Drops what is to run next. Joins keep who has come, but for those that are full.
    pub(super) fn drop_pending(&mut self, graph: &Graph) {
        self.due.append(&mut self.deferred);
        self.drop_due(graph);
        self.entering = None;
        self.sends.clear();
    }

    /// Drops what edges, and the joins that are full, lead to.
    pub(super) fn drop_due(&mut self, graph: &Graph) {
        for place in 0..graph.joins.len() {
            if self.is_full(graph, place) && self.due.contains(&graph.joins[place].to) {
                self.joins[place].clear();
            }
        }
        self.due.clear();
    }

    /// Drops what is to run next, but for the nodes that full joins lead to.
    pub(super) fn drop_but_joins(&mut self, graph: &Graph) {
        self.entering = None;
        self.due.clear();
        self.deferred.clear();
        self.sends.clear();
        for (place, join) in graph.joins.iter().enumerate() {
            if self.is_full(graph, place) {
                self.trigger(graph, join.to);
            }
        }
    }

    /// Whether all have come that a join waits for. It stays so until its node runs.
    pub(super) fn is_full(&self, graph: &Graph, join: usize) -> bool {
        self.joins[join].len() == graph.joins[join].from.len()
    }

    /// The tasks of the next superstep in the order in which their writes are applied: those that
    /// edges lead to by name, then those that were sent by their order.
    pub(super) fn tasks(&self) -> Vec<Task> {
        let due = self.due.iter().map(|node| Task { node: *node, sent: None });
        let sends = self.sends.iter().enumerate().map(|(place, (node, arg))| Task {
            node: *node,
            sent: Some(Sent { place, arg: Arc::clone(arg) }),
        });
        due.chain(sends).collect()
    }

    /// Takes what a command wrote that hangs on the checkpoint, and where it leads.
    pub(in crate::graph) fn take_command(
        &mut self,
        graph: &Graph,
        records: &[TaskRecord],
    ) -> Result<Changes, RunError> {
        let command = records.iter().find(|record| record.task == COMMAND);
        match command.and_then(|record| record.done.clone()) {
            Some(done) => self.command(graph, done),
            None => Ok(Changes::new()),
        }
    }

    /// What runs next, with what a command that hangs on the checkpoint leads to.
    pub(in crate::graph) fn with_command(
        &mut self,
        graph: &Graph,
        records: &[TaskRecord],
    ) -> Result<Vec<(Arc<str>, TaskPath)>, RunError> {
        self.take_command(graph, records)?;
        if self.entering.is_some() {
            return Ok(vec![(START.into(), TaskPath::Edge)]);
        }
        let name = |task: Task| (Arc::clone(&graph.nodes[task.node].name), task.path());
        Ok(self.tasks().into_iter().map(name).collect())
    }

    /// The names of the nodes that run next.
    pub(super) fn pending(&self, graph: &Graph) -> Vec<Arc<str>> {
        if self.entering.is_some() {
            return vec![START.into()];
        }
        self.next().map(|node| Arc::clone(&graph.nodes[node].name)).collect()
    }

    pub(super) fn is_done(&self) -> bool {
        self.entering.is_none() && self.next().next().is_none()
    }

    pub(super) fn is_paused(&self, graph: &Graph, at: &Pauses) -> bool {
        *at != Pauses::None && self.next().any(|node| at.has(&graph.nodes[node].name))
    }

    pub(in crate::graph) fn state(&self) -> State {
        self.values.clone().into()
    }

    fn next(&self) -> impl Iterator<Item = NodeIndex> {
        self.due.iter().copied().chain(self.sends.iter().map(|(node, _)| *node))
    }

    pub(super) fn lead(&mut self, graph: &Graph, leads: impl IntoIterator<Item = Lead>) {
        for lead in leads {
            match lead {
                Lead::Node(node) => self.trigger(graph, node),
                Lead::Send(node, arg) => self.sends.push((node, arg)),
            }
        }
    }

    /// Makes a node due, or, if it is deferred, due once nothing else is.
    pub(super) fn trigger(&mut self, graph: &Graph, node: NodeIndex) {
        if graph.nodes[node].deferred {
            self.deferred.push(node);
        } else {
            self.due.push(node);
        }
    }

    /// Brings what is due in order; deferred nodes come when nothing else does.
    pub(super) fn settle_due(&mut self) {
        sort(&mut self.due);
        if !self.deferred.is_empty() {
            sort(&mut self.deferred);
            // As in LangGraph, tasks that were sent do not count here.
            if self.due.is_empty() {
                std::mem::swap(&mut self.due, &mut self.deferred);
            }
        }
    }
}

fn sort(nodes: &mut Vec<NodeIndex>) {
    nodes.sort_unstable();
    nodes.dedup();
}
