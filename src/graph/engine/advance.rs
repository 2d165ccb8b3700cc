//! How finished tasks move a position.

use std::sync::Arc;

use super::fold::{Changes, Folding, prepare};
use super::lead::{self, Astray, Lead};
use super::position::{Position, Task};
use super::task::Finished;
use crate::graph::checkpoint::COMMAND;
use crate::graph::graph::NodeIndex;
use crate::graph::{By, Done, Graph, NodeError, RunError, START, TaskRecord, Update, ids};

impl Position {
    /// Folds a complete superstep in. `finished` is in the order of `tasks`.
    pub(super) fn advance(
        &mut self,
        graph: &Graph,
        tasks: &[Task],
        finished: Vec<Finished>,
    ) -> Result<Changes, RunError> {
        // What was due has run.
        self.drop_due(graph);
        self.sends.clear();
        let mut folding = Folding::of(graph);
        for (task, finished) in tasks.iter().zip(finished) {
            if finished.by == By::Node {
                self.leave(graph, task.node);
            }
            self.lead(graph, finished.leads);
            folding.fold(&mut self.values, &graph.nodes[task.node].name, finished.update)?;
        }
        if tasks.iter().any(|task| task.sent.is_none()) {
            self.ran.clear();
            self.ran.extend(tasks.iter().filter(|task| task.sent.is_none()).map(|task| task.node));
        }
        self.settle_due();
        self.step += 1;
        Ok(folding.finish(&mut self.values))
    }

    /// Follows the plain edges and joins of a node that has run.
    fn leave(&mut self, graph: &Graph, node: NodeIndex) {
        let spec = &graph.nodes[node];
        for to in &spec.exits.edges {
            self.trigger(graph, *to);
        }
        for place in &spec.joins {
            self.joins[*place].insert(node);
            if self.is_full(graph, *place) {
                self.trigger(graph, graph.joins[*place].to);
            }
        }
    }

    /// Takes writes and jumps from outside, between two supersteps.
    pub(super) fn command(&mut self, graph: &Graph, done: Done) -> Result<Changes, RunError> {
        let from = START.into();
        let mut folding = Folding::of(graph);
        folding.fold(&mut self.values, &from, done.update)?;
        let leads = lead::jump(graph, &from, done.targets)?;
        self.lead(graph, leads);
        self.settle_due();
        Ok(folding.changes())
    }
}

/// Folds in what the finished tasks of an incomplete superstep wrote.
pub(in crate::graph) fn live(
    graph: &Graph,
    position: &mut Position,
    tasks: &[TaskRecord],
) -> Result<Changes, RunError> {
    let mut folding = Folding::of(graph);
    for (node, done) in finished(graph, tasks) {
        folding.fold(&mut position.values, &graph.nodes[node].name, done.update.clone())?;
    }
    Ok(folding.changes())
}

/// The results of finished tasks, in the order in which they apply.
fn finished<'t>(graph: &Graph, tasks: &'t [TaskRecord]) -> Vec<(NodeIndex, &'t Done)> {
    let of_nodes = tasks.iter().filter(|record| record.task != COMMAND);
    let mut found: Vec<_> = of_nodes
        .filter_map(|record| {
            let node = graph.find(&record.node)?;
            Some(((record.sent, node), (node, record.done.as_ref()?)))
        })
        .collect();
    found.sort_by_key(|(order, _)| *order);
    found.into_iter().map(|(_, done)| done).collect()
}

/// A result, and the name it is filed under.
pub(in crate::graph) type Named = (Arc<str>, Done);

/// Acts as if nodes had returned updates in a superstep of their own: what was pending is dropped,
/// but for what its finished tasks wrote, which the caller has folded in, and for nodes that a full
/// join leads to, which it goes on doing until they run. No node is the entry.
pub(in crate::graph) fn as_nodes(
    graph: &Graph,
    position: &mut Position,
    updates: Vec<(Option<NodeIndex>, Update)>,
    salt: &str,
) -> Result<(Changes, Vec<Named>), RunError> {
    position.drop_but_joins(graph);
    let before = position.values.clone();
    let mut folding = Folding::of(graph);
    let mut all = Vec::with_capacity(updates.len());
    for (node, mut update) in updates {
        let (name, exits) = match node {
            None => (START.into(), &graph.entry),
            Some(node) => (Arc::clone(&graph.nodes[node].name), &graph.nodes[node].exits),
        };
        let task = || ids::task(salt, "", position.step + 1, &name, None);
        prepare(graph, &name, &mut update, graph.unknown, task)?;
        let jumps = std::mem::take(&mut update.goto);
        let mut own = before.clone();
        Folding::of(graph).fold(&mut own, &name, update.clone())?;
        folding.fold(&mut position.values, &name, update.clone())?;
        let mut leads = lead::follow(graph, &exits.routes, &name, &own.into(), None)
            .map_err(|astray| failed(&name, position.step + 1, astray))?;
        leads.extend(lead::jump(graph, &name, jumps)?);
        let targets = leads.iter().map(|lead: &Lead| lead.target(graph)).collect();
        match node {
            Some(node) => position.leave(graph, node),
            None => graph.entry.edges.iter().for_each(|to| position.trigger(graph, *to)),
        }
        position.lead(graph, leads);
        all.push((name, Done { update, targets, by: By::Node }));
    }
    position.settle_due();
    position.step += 1;
    Ok((folding.finish(&mut position.values), all))
}

pub(super) fn failed(node: &Arc<str>, step: i64, astray: Astray) -> RunError {
    match astray {
        Astray::Failed(error) => failure(node, step, error),
        Astray::Unknown(error) => error,
    }
}

/// A node's failure as the run's.
pub(super) fn failure(node: &Arc<str>, step: i64, error: NodeError) -> RunError {
    use crate::graph::error::{Cause, Failure};
    let node = Arc::clone(node);
    match error.0 {
        Cause::Failed(Failure { kind, source }) => RunError::Node { node, step, kind, source },
        // The task has no open question, so this one was asked by another task's context.
        Cause::Interrupted => RunError::Node {
            node,
            step,
            kind: "GraphInterrupt".into(),
            source: "it returned an interrupt that it did not raise".into(),
        },
        Cause::Handed(_) => RunError::NoParent { node },
        Cause::Stopped(error) => *error,
    }
}
