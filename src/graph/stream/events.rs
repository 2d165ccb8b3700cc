//! The event log of `astream_events(version="v2")`.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::homes::Homes;
use super::shown;
use crate::graph::{Call, Event, State, TaskInfo};

/// Shapes the events of one run into LangGraph's event log. Each has `event`, `name`, `run_id`,
/// `parent_ids` from the root inwards, `tags`, `metadata` and `data`.
pub struct EventsV2 {
    run: String,
    homes: Homes,
    /// The graphs that run, by namespace.
    graphs: BTreeMap<String, Graph>,
    /// The number of the try that each task is at, by task id.
    tries: BTreeMap<String, u32>,
}

struct Graph {
    name: String,
    input: Value,
    output_keys: Option<Vec<String>>,
    output: Value,
}

/// Where an event comes from.
struct Origin {
    name: String,
    id: String,
    parents: Vec<String>,
    tags: Vec<String>,
    metadata: Value,
}

impl EventsV2 {
    /// For the run of this id.
    pub fn new(run: impl Into<String>) -> Self {
        Self {
            run: run.into(),
            homes: Homes::default(),
            graphs: BTreeMap::new(),
            tries: BTreeMap::new(),
        }
    }

    /// The log's events that an event amounts to, in order.
    pub fn shape(&mut self, event: &Event<'_>) -> Vec<Value> {
        match *event {
            Event::RunStarted { namespace, graph, input, output_keys } => {
                let output_keys = output_keys.map(|keys| keys.iter().map(|&k| k.into()).collect());
                let input = input.cloned().unwrap_or_default();
                let data = json!({"input": input});
                let graph = Graph { name: graph.into(), input, output_keys, output: Value::Null };
                self.graphs.insert(namespace.to_owned(), graph);
                vec![told("on_chain_start", &self.graph(namespace), data)]
            }
            Event::Resumed { namespace, state } => self.keep(namespace, state),
            Event::SuperstepFinished { namespace, state, .. } => self.keep(namespace, state),
            Event::NodeStarted { task, input, attempt } => {
                self.homes.note(task);
                self.tries.insert(task.id.clone(), attempt);
                let data = json!({"input": input.to_value()});
                vec![told("on_chain_start", &self.node(task), data)]
            }
            Event::ModelStarted { task, call, input } => {
                let data = json!({"input": {"messages": [input]}});
                vec![told("on_chat_model_start", &self.call(task, call, "seq:step:1"), data)]
            }
            Event::ModelChunk { task, call, chunk } => {
                let origin = self.call(task, call, "seq:step:1");
                vec![told("on_chat_model_stream", &origin, json!({"chunk": chunk}))]
            }
            Event::ModelFinished { task, call, input, output } => {
                let data = json!({"input": {"messages": [input]}, "output": output});
                vec![told("on_chat_model_end", &self.call(task, call, "seq:step:1"), data)]
            }
            Event::ToolStarted { task, call, input } => {
                let origin = self.call(task, call, "seq:step:1");
                vec![told("on_tool_start", &origin, json!({"input": input}))]
            }
            Event::ToolFinished { task, call, input, output } => {
                let data = json!({"input": input, "output": output});
                vec![told("on_tool_end", &self.call(task, call, "seq:step:1"), data)]
            }
            Event::ToolFailed { task, call, input, error } => {
                let id = &call.tool_call;
                let data = json!({"input": input, "error": error, "tool_call_id": id});
                vec![told("on_tool_error", &self.call(task, call, "seq:step:1"), data)]
            }
            Event::RouteTaken { task, call, input, output } => {
                let (origin, input) = (self.call(task, call, "seq:step:3"), input.to_value());
                let start = told("on_chain_start", &origin, json!({"input": input}));
                let data = json!({"input": input, "output": output});
                vec![start, told("on_chain_end", &origin, data)]
            }
            Event::NodeFinished { task, input, returned, update } => {
                let (origin, output) = (self.node(task), returned.returned());
                let stream = told("on_chain_stream", &origin, json!({"chunk": output}));
                let data = json!({"input": input.to_value(), "output": output});
                let mut all = vec![stream, told("on_chain_end", &origin, data)];
                let shows = |key: &str| self.shows(&task.namespace, key);
                let update = shown::update(&task.node, update, shows);
                all.extend(self.stream(&task.namespace, &update));
                all
            }
            Event::NodeCached { task, update } => {
                let shows = |key: &str| self.shows(&task.namespace, key);
                let mut update = shown::update(&task.node, update, shows);
                update["__metadata__"] = json!({"cached": true});
                self.stream(&task.namespace, &update).into_iter().collect()
            }
            Event::NodeInterrupted { task, interrupts, .. } if !interrupts.is_empty() => {
                self.stream(&task.namespace, &shown::asked(interrupts)).into_iter().collect()
            }
            Event::Suspended { namespace, state, .. } => {
                self.keep(namespace, state);
                self.stopped(namespace)
            }
            Event::Paused { namespace } => {
                let mut all: Vec<_> =
                    self.stream(namespace, &shown::asked(&[])).into_iter().collect();
                all.extend(self.stopped(namespace));
                all
            }
            Event::RunFinished { namespace: "", .. } => self.stopped(""),
            Event::RunFinished { namespace, output } => vec![self.end(namespace, output)],
            Event::Planned { .. }
            | Event::SuperstepStarted { .. }
            | Event::Token { .. }
            | Event::Custom { .. }
            | Event::NodeInterrupted { .. }
            | Event::NodeRetried { .. }
            | Event::NodeFailed { .. }
            | Event::RunFailed { .. } => Vec::new(),
        }
    }

    /// Remembers the output as it stands.
    fn keep(&mut self, namespace: &str, state: &State) -> Vec<Value> {
        let output = state.to_value_of(|key| self.shows(namespace, key));
        if let Some(graph) = self.graphs.get_mut(namespace) {
            graph.output = output;
        }
        Vec::new()
    }

    /// Only the root graph streams.
    fn stream(&self, namespace: &str, chunk: &Value) -> Option<Value> {
        let root = namespace.is_empty();
        root.then(|| told("on_chain_stream", &self.graph(""), json!({"chunk": chunk})))
    }

    /// A graph that stops to ask or to pause ends, for whoever watches; one within another stops
    /// in the middle.
    fn stopped(&self, namespace: &str) -> Vec<Value> {
        let root = self.graphs.get(namespace).filter(|_| namespace.is_empty());
        root.map(|graph| self.end(namespace, &graph.output)).into_iter().collect()
    }

    fn end(&self, namespace: &str, output: &Value) -> Value {
        let mut data = json!({"output": output});
        if let Some(graph) = self.graphs.get(namespace).filter(|_| !namespace.is_empty()) {
            data["input"] = graph.input.clone();
        }
        told("on_chain_end", &self.graph(namespace), data)
    }

    /// All keys of the root graph, and the output keys of those within.
    fn shows(&self, namespace: &str, key: &str) -> bool {
        if namespace.is_empty() {
            return true;
        }
        let keys = self.graphs.get(namespace).and_then(|graph| graph.output_keys.as_ref());
        keys.is_none_or(|keys| keys.iter().any(|known| known == key))
    }

    fn graph(&self, namespace: &str) -> Origin {
        let known = self.graphs.get(namespace);
        let name = known.map(|graph| graph.name.clone()).unwrap_or_default();
        match self.homes.task_of(namespace) {
            None => Origin {
                name,
                id: self.run.clone(),
                parents: Vec::new(),
                tags: Vec::new(),
                metadata: Value::Object(Map::new()),
            },
            Some(task) => {
                let node = self.node(task);
                Origin {
                    name,
                    id: self.graph_id(namespace),
                    parents: node.within(),
                    tags: vec!["seq:step:1".to_owned()],
                    metadata: node.metadata,
                }
            }
        }
    }

    fn graph_id(&self, namespace: &str) -> String {
        match namespace {
            "" => self.run.clone(),
            namespace => format!("{}/{namespace}", self.run),
        }
    }

    fn node(&self, task: &TaskInfo) -> Origin {
        let attempt = self.tries.get(&task.id).copied().unwrap_or(1);
        let graph = self.graph(&task.namespace);
        Origin {
            name: task.node.to_string(),
            id: format!("{}/{}/{}/{attempt}", self.run, task.node, task.id),
            parents: graph.within(),
            tags: vec![format!("graph:step:{}", task.step)],
            metadata: shown::metadata(task),
        }
    }

    fn call(&self, task: &TaskInfo, call: &Call, tag: &str) -> Origin {
        let node = self.node(task);
        let mut tags = call.tags.clone();
        tags.push(tag.to_owned());
        Origin {
            name: call.name.clone(),
            id: format!("{}/{}", self.run, call.id),
            parents: node.within(),
            tags,
            metadata: node.metadata,
        }
    }
}

impl Origin {
    /// The parents of what runs within this.
    fn within(&self) -> Vec<String> {
        self.parents.iter().chain([&self.id]).cloned().collect()
    }
}

fn told(event: &str, origin: &Origin, data: Value) -> Value {
    json!({
        "event": event,
        "name": origin.name,
        "run_id": origin.id,
        "parent_ids": origin.parents,
        "tags": origin.tags,
        "metadata": origin.metadata,
        "data": data,
    })
}
