//! Which task a namespace belongs to.

use std::collections::BTreeMap;

use crate::graph::TaskInfo;

/// The tasks that run, by the namespace of what they run themselves.
#[derive(Default)]
pub(super) struct Homes(BTreeMap<String, TaskInfo>);

impl Homes {
    /// A graph that keeps its state has no task in its namespace, only the name of its node.
    pub(super) fn note(&mut self, task: &TaskInfo) {
        let kept = match &*task.namespace {
            "" => task.node.to_string(),
            outer => format!("{outer}|{}", task.node),
        };
        self.0.insert(kept, task.clone());
        self.0.insert(task.own_namespace(), task.clone());
    }

    /// The task that runs the graph of this namespace; none for the root.
    pub(super) fn task_of(&self, namespace: &str) -> Option<&TaskInfo> {
        self.0.get(namespace).or_else(|| {
            // The second graph that a task runs has a number behind the task.
            let (task, nth) = namespace.rsplit_once('|')?;
            nth.parse::<usize>().ok().and_then(|_| self.0.get(task))
        })
    }

    /// The task of the root graph that the graph of this namespace runs in.
    pub(super) fn root_task<'a>(&'a self, namespace: &str) -> Option<&'a TaskInfo> {
        self.0.get(namespace.split('|').next().filter(|first| !first.is_empty())?)
    }
}

/// A task's label: its node, and `#` with the place of a sent one.
pub(super) fn label(task: &TaskInfo) -> String {
    match task.path.sent() {
        Some(place) => format!("{}#{place}", task.node),
        None => task.node.to_string(),
    }
}
