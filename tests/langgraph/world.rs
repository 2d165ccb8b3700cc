//! What the programs of one case share: their outside effects, how often each has failed, and
//! which task is which.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use countersign::graph::{Context, NodeError, TaskInfo, TaskPath};
use serde_json::{Value, json};

use crate::format::ErrorClass;

#[derive(Clone, Default)]
pub struct World(Arc<Mutex<Shared>>);

#[derive(Default)]
struct Shared {
    effects: Vec<(Place, Value)>,
    failures: BTreeMap<String, u64>,
    /// The errors that programs raised on purpose: class and message.
    raised: BTreeSet<(String, String)>,
    /// Where each task stands, by its id; a graph that keeps its state has the name of its node
    /// for a namespace, so there the node's latest task is known by that name too.
    tasks: BTreeMap<String, Place>,
    /// The tags of the call under way.
    tags: Vec<String>,
}

/// A task as the recordings name it: its node, the place of a sent one, and its superstep.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub step: i64,
    pub node: String,
    pub sent: Option<usize>,
}

impl Place {
    pub fn label(&self) -> String {
        match self.sent {
            Some(sent) => format!("{}#{sent}", self.node),
            None => self.node.clone(),
        }
    }
}

impl World {
    pub fn note_task(&self, task: &TaskInfo) {
        let place = Place { step: task.step, node: task.node.to_string(), sent: sent(task) };
        let mut shared = self.shared();
        shared.tasks.insert(join(&task.namespace, &task.node), place.clone());
        shared.tasks.insert(task.id.clone(), place);
    }

    /// Notes an outside effect of the task that `context` belongs to.
    pub fn effect(&self, context: &Context, value: Value) {
        let mut shared = self.shared();
        let outer = shared.places(context.namespace());
        let own = shared.tasks.get(context.task_id()).cloned().unwrap_or_default();
        let mut effect = json!({"by": own.label(), "step": own.step, "value": value});
        if !outer.is_empty() {
            effect["in"] = outer.iter().map(Place::label).collect();
        }
        let root = outer.into_iter().next().unwrap_or(own);
        shared.effects.push((root, effect));
    }

    /// The effects since this was last asked: those of parallel tasks by the tasks' names, those
    /// of one task in the order of happening.
    pub fn take_effects(&self) -> Vec<Value> {
        let mut effects = std::mem::take(&mut self.shared().effects);
        effects.sort_by(|(one, _), (other, _)| one.cmp(other));
        effects.into_iter().map(|(_, effect)| effect).collect()
    }

    /// Fails if the counter of `key` is not yet over `times`.
    pub fn fail(
        &self,
        key: &str,
        times: Option<u64>,
        class: ErrorClass,
        message: &str,
    ) -> Result<(), NodeError> {
        let mut shared = self.shared();
        let failed = shared.failures.entry(key.to_owned()).or_default();
        *failed += 1;
        if times.is_some_and(|times| *failed > times) {
            return Ok(());
        }
        drop(shared);
        Err(self.raise(class, message))
    }

    pub fn raise(&self, class: ErrorClass, message: &str) -> NodeError {
        self.shared().raised.insert((class.name().to_owned(), message.to_owned()));
        NodeError::of_kind(class.name(), message)
    }

    pub fn raised(&self, class: &str, message: &str) -> bool {
        self.shared().raised.contains(&(class.to_owned(), message.to_owned()))
    }

    pub fn set_tags(&self, tags: &[String]) {
        self.shared().tags = tags.to_vec();
    }

    pub fn tags(&self) -> Vec<String> {
        self.shared().tags.clone()
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.0.lock().expect("no program panics")
    }
}

impl Shared {
    /// The tasks that a namespace leads through, outermost first.
    fn places(&self, namespace: &str) -> Vec<Place> {
        let mut walked = String::new();
        // A number tells graphs apart that one task runs.
        let is_task = |step: &&str| !step.is_empty() && step.parse::<usize>().is_err();
        let steps = namespace.split('|').filter(is_task);
        let place = |step: &str| {
            walked = join(&walked, step);
            let known = step.split_once(':').and_then(|(_, task)| self.tasks.get(task));
            let bare = step.split(':').next().unwrap_or_default();
            let other = || Place { node: bare.to_owned(), ..Place::default() };
            known.or_else(|| self.tasks.get(&walked)).cloned().unwrap_or_else(other)
        };
        steps.map(place).collect()
    }
}

fn sent(task: &TaskInfo) -> Option<usize> {
    match task.path {
        TaskPath::Edge => None,
        TaskPath::Sent(place) => Some(place),
    }
}

fn join(namespace: &str, step: &str) -> String {
    if namespace.is_empty() { step.to_owned() } else { format!("{namespace}|{step}") }
}
