//! Where a thread stands between two supersteps, and how a superstep moves it.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::task::{Finished, Lead, follow};
use crate::graph::graph::NodeIndex;
use crate::graph::state::Values;
use crate::graph::{Change, Checkpoint, Graph, RunError, START, SendTo, Source, State, Update};

/// A checkpoint in the form the engine works on: names are places, values are shared.
pub(super) struct Position {
    /// The number of the last superstep; −2 before the first input, as in LangGraph.
    pub(super) step: i64,
    pub(super) values: Values,
    /// Nodes that are due by an edge, in the order of their names, each once.
    due: Vec<NodeIndex>,
    sends: Vec<(NodeIndex, Arc<Value>)>,
    /// For each join of the graph, by which of its nodes it has been reached.
    joins: Vec<BTreeSet<NodeIndex>>,
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

/// The keys that a superstep changed, by their places.
pub(super) type Changes = Vec<(usize, Change)>;

impl Position {
    pub(super) fn fresh(graph: &Graph) -> Self {
        Self {
            step: -2,
            values: Values::initial(&graph.keys),
            due: Vec::new(),
            sends: Vec::new(),
            joins: vec![BTreeSet::new(); graph.joins.len()],
        }
    }

    pub(super) fn restore(graph: &Graph, saved: Checkpoint) -> Result<Self, RunError> {
        let foreign = |what| RunError::ForeignCheckpoint { what };
        let node = |name: &str| {
            graph.find(name).ok_or_else(|| foreign(format!("it names the unknown node {name}")))
        };
        let values = Values::restore(&graph.keys, saved.values)
            .map_err(|key| foreign(format!("its value of the state key {key} is unknown here")))?;
        let mut position = Self { step: saved.step, values, ..Self::fresh(graph) };
        for name in &saved.due {
            position.due.push(node(name)?);
        }
        position.order_due();
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

    pub(super) fn save(
        &self,
        graph: &Graph,
        id: String,
        parent: Option<String>,
        run: String,
        source: Source,
        changes: Changes,
    ) -> Checkpoint {
        let name = |node: &NodeIndex| Arc::clone(&graph.nodes[*node].name);
        let sends = self.sends.iter().map(|(node, arg)| {
            let node = graph.nodes[*node].name.to_string();
            SendTo::new(node, Value::clone(arg))
        });
        let half_filled = graph.joins.iter().zip(&self.joins).filter(|(_, by)| !by.is_empty());
        Checkpoint {
            id,
            parent,
            namespace: crate::graph::ids::ROOT.to_owned(),
            run,
            step: self.step,
            source,
            values: self.values.save(),
            changed: changes
                .into_iter()
                .map(|(key, change)| (Arc::clone(graph.keys.name(key)), change))
                .collect(),
            due: self.due.iter().map(name).collect(),
            sends: sends.collect(),
            joins: half_filled
                .map(|(join, by)| (Arc::clone(&join.name), by.iter().map(name).collect()))
                .collect(),
        }
    }

    /// Takes an input where nothing is due: the entry is.
    pub(super) fn enter(&mut self, graph: &Graph, input: Value) -> Result<Changes, RunError> {
        let Value::Object(input) = input else {
            return Err(RunError::InputNotAnObject);
        };
        let start: Arc<str> = START.into();
        let update = input.into_iter().fold(Update::none(), |update, (key, v)| update.set(key, v));
        check_keys(graph, &start, &update)?;
        let changes = fold(graph, &mut self.values, [(&start, update)])?;
        // The input and its distribution count as two steps.
        self.step += 2;
        let leads =
            follow(graph, &graph.entry.routes, &start, self.step, &self.state(), Vec::new())?;
        self.due.extend(&graph.entry.edges);
        self.lead(leads);
        self.order_due();
        Ok(changes)
    }

    /// Folds a complete superstep in. `finished` is in the order of `tasks`.
    pub(super) fn advance(
        &mut self,
        graph: &Graph,
        tasks: &[Task],
        finished: Vec<Finished>,
    ) -> Result<Changes, RunError> {
        self.due.clear();
        self.sends.clear();
        let mut updates = Vec::with_capacity(finished.len());
        for (task, finished) in tasks.iter().zip(finished) {
            let spec = &graph.nodes[task.node];
            self.due.extend(&spec.exits.edges);
            for place in &spec.joins {
                let (join, reached) = (&graph.joins[*place], &mut self.joins[*place]);
                reached.insert(task.node);
                if reached.len() == join.from.len() {
                    reached.clear();
                    self.due.push(join.to);
                }
            }
            self.lead(finished.leads);
            updates.push((&spec.name, finished.update));
        }
        self.order_due();
        self.step += 1;
        fold(graph, &mut self.values, updates)
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

    /// The names of the nodes that run next.
    pub(super) fn pending(&self, graph: &Graph) -> Vec<Arc<str>> {
        self.next().map(|node| Arc::clone(&graph.nodes[node].name)).collect()
    }

    pub(super) fn is_done(&self) -> bool {
        self.next().next().is_none()
    }

    pub(super) fn is_paused(&self, graph: &Graph) -> bool {
        self.next().any(|node| graph.nodes[node].pause_before)
    }

    pub(super) fn state(&self) -> State {
        self.values.clone().into()
    }

    fn next(&self) -> impl Iterator<Item = NodeIndex> {
        self.due.iter().copied().chain(self.sends.iter().map(|(node, _)| *node))
    }

    fn lead(&mut self, leads: Vec<Lead>) {
        for lead in leads {
            match lead {
                Lead::Node(node) => self.due.push(node),
                Lead::Send(node, arg) => self.sends.push((node, arg)),
            }
        }
    }

    fn order_due(&mut self) {
        self.due.sort_unstable();
        self.due.dedup();
    }
}

/// Refuses writes to what is not a state key.
pub(super) fn check_keys(
    graph: &Graph,
    writer: &Arc<str>,
    update: &Update,
) -> Result<(), RunError> {
    match update.writes().find(|(key, _)| graph.keys.index(key).is_none()) {
        Some((key, _)) => {
            Err(RunError::UnknownKey { writer: Arc::clone(writer), key: key.to_owned() })
        }
        None => Ok(()),
    }
}

/// Folds the updates of one superstep into the values, in the order given.
pub(super) fn fold<'a>(
    graph: &Graph,
    values: &mut Values,
    updates: impl IntoIterator<Item = (&'a Arc<str>, Update)>,
) -> Result<Changes, RunError> {
    let mut changes: Changes = Vec::new();
    let mut writers: Vec<(usize, &Arc<str>)> = Vec::new();
    for (writer, update) in updates {
        for (key, write) in update.writes {
            let Some(index) = graph.keys.index(&key) else {
                return Err(RunError::UnknownKey { writer: Arc::clone(writer), key: key.into() });
            };
            let key = graph.keys.name(index);
            if !graph.keys.reducer(index).takes_many() {
                if let Some((_, first)) = writers.iter().find(|(written, _)| *written == index) {
                    let writers = vec![Arc::clone(first), Arc::clone(writer)];
                    return Err(RunError::Conflict { key: Arc::clone(key), writers });
                }
                writers.push((index, writer));
            }
            if !changes.iter().any(|(changed, _)| *changed == index) {
                let change = match values.entries(index) {
                    Some(from) => Change::Appended { from },
                    None => Change::Replaced,
                };
                changes.push((index, change));
            }
            values.write(index, write).map_err(|why| RunError::BadWrite {
                writer: Arc::clone(writer),
                key: Arc::clone(key),
                why,
            })?;
        }
    }
    Ok(changes)
}
