//! Running a graph from within a node.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::Context;
use crate::graph::engine::{self, Ended, Inner};
use crate::graph::error::Cause;
use crate::graph::shared::Shared;
use crate::graph::{
    CheckpointRef, Graph, Interrupt, Memory, NoSaver, NodeError, Question, RunEnd, Saver, State,
};

impl Context {
    /// Runs a graph and gives its output. What it asks surfaces as this task's question; when that
    /// is answered the node starts again from its first line, and the graph goes on where it was.
    /// Graphs that a node runs are known by their order.
    ///
    /// # Errors
    /// The interrupt or the command of the graph, on its way out: hand it on with `?`. The failure
    /// of a node within, or of the graph.
    pub async fn call(&self, graph: &Graph, input: Value) -> Result<State, NodeError> {
        let inner = self.inner(graph, input);
        // The graph within may be deep; the node's future should not hold all of it.
        match Box::pin(engine::run_inner(graph, inner)).await {
            Ok(Ended::Run(RunEnd::Finished { state })) => Ok(match graph.output_keys {
                None => state,
                Some(_) => State::sent(Arc::new(graph.output(&state))),
            }),
            Ok(Ended::Run(RunEnd::Interrupted { interrupts, .. })) => {
                self.log().inner.extend(interrupts.into_iter().map(question));
                Err(NodeError(Cause::Interrupted))
            }
            Ok(Ended::Run(RunEnd::Paused { .. })) => {
                self.log().paused = true;
                Err(NodeError(Cause::Interrupted))
            }
            Ok(Ended::Handed { update, .. }) => Err(NodeError(Cause::Handed(Box::new(update)))),
            Err(error) => Err(NodeError::of_run(error)),
        }
    }

    fn inner(&self, graph: &Graph, input: Value) -> Inner {
        let task = &*self.0;
        let outer = &task.place.shared;
        let nth = {
            let mut log = self.log();
            log.graphs += 1;
            log.graphs - 1
        };
        let (saver, background): (Arc<dyn Saver>, _) = match graph.memory {
            Memory::Inherit | Memory::Own => (Arc::clone(&outer.saver), outer.background.clone()),
            Memory::Nothing => (Arc::new(NoSaver), None),
        };
        let answered = task.before.answered_inner();
        let answered = answered.filter_map(|question| Some((question.id, question.answer?)));
        let offered: BTreeMap<_, _> = outer.offered.clone().into_iter().chain(answered).collect();
        let mut parents = outer.parents.clone();
        parents.extend(task.place.checkpoint.as_ref().map(|id| CheckpointRef {
            id: id.to_string(),
            namespace: outer.namespace.to_string(),
        }));
        let namespace = match (graph.namespace_in(self.info()), nth) {
            (first, 0) => first,
            (first, nth) => format!("{first}|{nth}"),
        };
        let shared = Shared {
            saver,
            events: Arc::clone(&outer.events),
            heard: outer.heard,
            timer: Arc::clone(&outer.timer),
            drain: outer.drain.clone(),
            run: Arc::clone(&outer.run),
            maker: self.task_id().into(),
            supersteps: outer.supersteps,
            stray: outer.stray,
            durability: outer.durability,
            background,
            namespace: namespace.into(),
            parents,
            offered,
            order: tokio::sync::Mutex::default(),
        };
        Inner { shared: Arc::new(shared), input, passes_pause: task.before.paused }
    }
}

fn question(interrupt: Interrupt) -> Question {
    let Interrupt { id, value, schema, .. } = interrupt;
    Question { id, value, schema, answer: None }
}
