//! Turns the events of a run into the chunks of stream modes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::homes::{Homes, label};
use super::messages::Messages;
use super::{Chunk, Mode, Subgraphs, shown};
use crate::graph::{Event, Interrupt, State, TaskError, TaskInfo, Update};

/// Shapes the events of one run for one reader.
pub struct Shaper {
    modes: Vec<Mode>,
    subgraphs: Subgraphs,
    keys: OutputKeys,
    homes: Homes,
    messages: Messages,
    graphs: BTreeMap<String, Graph>,
}

/// Which keys `values` and `updates` show.
enum OutputKeys {
    /// All of the root graph, and the output keys of those within.
    All,
    /// These, of the root graph.
    Only(Vec<String>),
    /// This one, of the root graph, bare.
    Bare(String),
}

/// What is known of a graph that runs.
#[derive(Default)]
struct Graph {
    /// None if it shows all.
    output_keys: Option<Vec<Arc<str>>>,
    /// Whether a key that is shown was written in this superstep.
    wrote: bool,
    /// Whether a question surfaced in this superstep.
    asked: bool,
    has_input: bool,
    /// Whether this superstep has tasks; if not, it distributes an input.
    tasks: bool,
}

/// What a chunk belongs to.
enum Of<'a> {
    Task(&'a TaskInfo),
    Graph(&'a str),
}

impl Shaper {
    /// For a reader of these modes. Each chunk says its mode.
    pub fn new(modes: impl IntoIterator<Item = Mode>, subgraphs: Subgraphs) -> Self {
        Self {
            modes: modes.into_iter().collect(),
            subgraphs,
            keys: OutputKeys::All,
            homes: Homes::default(),
            messages: Messages::default(),
            graphs: BTreeMap::new(),
        }
    }

    /// Shows only these keys of the root graph in `values` and `updates`.
    #[must_use]
    pub fn output_keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys = OutputKeys::Only(keys.into_iter().map(Into::into).collect());
        self
    }

    /// Shows only the bare value of this key of the root graph in `values` and `updates`.
    #[must_use]
    pub fn output_key(mut self, key: impl Into<String>) -> Self {
        self.keys = OutputKeys::Bare(key.into());
        self
    }

    /// The chunks that an event amounts to, in order.
    pub fn shape(&mut self, event: &Event<'_>) -> Vec<Chunk> {
        let mut out = Vec::new();
        match *event {
            Event::RunStarted { namespace, output_keys, input, .. } => {
                let output_keys =
                    output_keys.map(|keys| keys.iter().map(|&key| key.into()).collect());
                let has_input = input.is_some();
                let graph = Graph { output_keys, has_input, ..Graph::default() };
                self.graphs.insert(namespace.to_owned(), graph);
                let keys = input.and_then(Value::as_object).into_iter().flat_map(Map::keys);
                self.note_writes(namespace, keys.map(String::as_str));
            }
            Event::Resumed { namespace, state } => {
                self.push(&mut out, Of::Graph(namespace), Mode::Values, |it| {
                    it.values(namespace, state)
                });
            }
            Event::Planned { checkpoint } => {
                let of = || Of::Graph(&checkpoint.checkpoint.namespace);
                self.push(&mut out, of(), Mode::Checkpoints, |_| shown::checkpoint(checkpoint));
                let step = checkpoint.step;
                self.debug(&mut out, of(), step, "checkpoint", || shown::checkpoint(checkpoint));
            }
            Event::SuperstepStarted { namespace, step, tasks } => {
                self.graphs.entry(namespace.to_owned()).or_default().tasks = !tasks.is_empty();
                for start in tasks {
                    self.homes.note(&start.task);
                    let of = || Of::Graph(namespace);
                    self.push(&mut out, of(), Mode::Tasks, |_| shown::task_start(start));
                    self.debug(&mut out, of(), step, "task", || shown::task_start(start));
                }
            }
            Event::NodeStarted { task, input, .. } => {
                self.homes.note(task);
                if self.sees(&task.namespace) {
                    self.messages.node_started(input);
                }
            }
            Event::Custom { task, value } => {
                self.push(&mut out, Of::Task(task), Mode::Custom, |_| value.clone());
            }
            Event::ModelStarted { task, call, .. } if self.sees(&task.namespace) => {
                self.messages.model_started(call);
            }
            Event::ModelChunk { task, call, chunk } => {
                if let Some(said) = self.messages.model_chunk(task, call, chunk) {
                    self.push(&mut out, Of::Task(task), Mode::Messages, |_| said);
                }
            }
            Event::ModelFinished { task, call, output, .. } => {
                if let Some(said) = self.messages.model_finished(task, call, output) {
                    self.push(&mut out, Of::Task(task), Mode::Messages, |_| said);
                }
            }
            Event::NodeFinished { task, update, .. } => self.finished(&mut out, task, update),
            Event::NodeCached { task, update } => {
                self.note_writes(&task.namespace, update.writes().map(|(key, _)| key));
                self.push(&mut out, Of::Graph(&task.namespace), Mode::Updates, |it| {
                    let mut data = it.update(task, update);
                    data["__metadata__"] = json!({"cached": true});
                    data
                });
            }
            Event::NodeInterrupted { task, interrupts, state } => {
                self.asked(&mut out, task, interrupts, state);
            }
            Event::NodeFailed { task, error } => {
                self.ended(&mut out, task, Some(error), &json!({}), &[]);
            }
            Event::SuperstepFinished { namespace, state, wrote, .. } => {
                let graph = self.graphs.entry(namespace.to_owned()).or_default();
                graph.asked = false;
                // An input that was taken before this run is not told again.
                let entered = !std::mem::take(&mut graph.tasks) && !graph.has_input && wrote;
                if std::mem::take(&mut graph.wrote) || entered {
                    self.push(&mut out, Of::Graph(namespace), Mode::Values, |it| {
                        it.values(namespace, state)
                    });
                }
            }
            Event::Suspended { namespace, state, .. } => {
                let graph = self.graphs.entry(namespace.to_owned()).or_default();
                let (wrote, asked) = (graph.wrote, graph.asked);
                if namespace.is_empty() && !asked {
                    self.push(&mut out, Of::Graph(namespace), Mode::Updates, |_| shown::asked(&[]));
                }
                if namespace.is_empty() && wrote {
                    self.push(&mut out, Of::Graph(namespace), Mode::Values, |it| {
                        it.values(namespace, state)
                    });
                }
            }
            Event::Paused { namespace } if namespace.is_empty() => {
                self.push(&mut out, Of::Graph(namespace), Mode::Updates, |_| shown::asked(&[]));
            }
            Event::ModelStarted { .. }
            | Event::Paused { .. }
            | Event::Token { .. }
            | Event::ToolStarted { .. }
            | Event::ToolFinished { .. }
            | Event::ToolFailed { .. }
            | Event::RouteTaken { .. }
            | Event::NodeRetried { .. }
            | Event::RunFinished { .. }
            | Event::RunFailed { .. } => {}
        }
        out
    }

    fn finished(&mut self, out: &mut Vec<Chunk>, task: &TaskInfo, update: &Update) {
        self.note_writes(&task.namespace, update.writes().map(|(key, _)| key));
        if self.sees(&task.namespace) {
            for message in self.messages.node_finished(task, update) {
                self.push(out, Of::Task(task), Mode::Messages, |_| message);
            }
        }
        self.push(out, Of::Task(task), Mode::Updates, |it| it.update(task, update));
        self.ended(out, task, None, &update.shown(), &[]);
    }

    /// A question in a graph that a task runs shows for each of the two.
    fn asked(&mut self, out: &mut Vec<Chunk>, task: &TaskInfo, asked: &[Interrupt], state: &State) {
        if asked.is_empty() {
            return;
        }
        self.graphs.entry(task.namespace.to_string()).or_default().asked = true;
        self.push(out, Of::Task(task), Mode::Updates, |_| shown::asked(asked));
        self.push(out, Of::Task(task), Mode::Values, |it| {
            match it.values(&task.namespace, state) {
                values @ Value::Object(_) => shown::values_asked(values, asked),
                _ => shown::asked(asked),
            }
        });
        self.ended(out, task, None, &json!({}), asked);
    }

    fn ended(
        &self,
        out: &mut Vec<Chunk>,
        task: &TaskInfo,
        error: Option<&TaskError>,
        result: &Value,
        asked: &[Interrupt],
    ) {
        let end = || shown::task_end(task, error, result, asked);
        self.push(out, Of::Task(task), Mode::Tasks, |_| end());
        self.debug(out, Of::Task(task), task.step, "task_result", end);
    }

    fn debug(
        &self,
        out: &mut Vec<Chunk>,
        of: Of<'_>,
        step: i64,
        kind: &str,
        payload: impl FnOnce() -> Value,
    ) {
        self.push(
            out,
            of,
            Mode::Debug,
            |_| json!({"step": step, "type": kind, "payload": payload()}),
        );
    }

    fn push(
        &self,
        out: &mut Vec<Chunk>,
        of: Of<'_>,
        mode: Mode,
        data: impl FnOnce(&Self) -> Value,
    ) {
        let (namespace, task) = match of {
            Of::Task(task) => (&*task.namespace, Some(task)),
            Of::Graph(namespace) => (namespace, None),
        };
        if !self.modes.contains(&mode) || !self.sees(namespace) {
            return;
        }
        let by = if namespace.is_empty() { task } else { self.homes.root_task(namespace) };
        let steps = namespace.split('|').filter(|step| !step.is_empty());
        out.push(Chunk {
            namespace: steps.map(str::to_owned).collect(),
            mode,
            data: data(self),
            by: by.map(label),
            step: by.map(|task| task.step),
        });
    }

    fn sees(&self, namespace: &str) -> bool {
        namespace.is_empty() || self.subgraphs == Subgraphs::Shown
    }

    fn note_writes<'a>(&mut self, namespace: &str, mut keys: impl Iterator<Item = &'a str>) {
        if keys.any(|key| self.shows(namespace, key)) {
            self.graphs.entry(namespace.to_owned()).or_default().wrote = true;
        }
    }

    fn shows(&self, namespace: &str, key: &str) -> bool {
        match &self.keys {
            OutputKeys::Only(keys) if namespace.is_empty() => keys.iter().any(|known| known == key),
            OutputKeys::Bare(known) if namespace.is_empty() => known == key,
            OutputKeys::All if namespace.is_empty() => true,
            OutputKeys::All | OutputKeys::Only(_) | OutputKeys::Bare(_) => {
                let graph = self.graphs.get(namespace);
                let keys = graph.and_then(|graph| graph.output_keys.as_ref());
                keys.is_none_or(|keys| keys.iter().any(|known| **known == *key))
            }
        }
    }

    fn values(&self, namespace: &str, state: &State) -> Value {
        let values = state.to_value_of(|key| self.shows(namespace, key));
        match &self.keys {
            OutputKeys::Bare(key) if namespace.is_empty() => values[key].clone(),
            OutputKeys::All | OutputKeys::Only(_) | OutputKeys::Bare(_) => values,
        }
    }

    fn update(&self, task: &TaskInfo, update: &Update) -> Value {
        let mut data = shown::update(&task.node, update, |key| self.shows(&task.namespace, key));
        if let (OutputKeys::Bare(key), "") = (&self.keys, &*task.namespace) {
            data[&*task.node] = data[&*task.node][key].take();
        }
        data
    }
}
