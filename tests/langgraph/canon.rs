//! What our runtime did, in the form of the expectations. Ids stay raw until the whole document is
//! there; [`Ids::number`] then numbers them.

use std::collections::{BTreeMap, BTreeSet};

use countersign::graph::{
    CheckpointRef, Interrupt, RunError, Source, StateSnapshot, TaskPath, TaskSnapshot, TimeLimit,
    TimedOut,
};
use serde_json::{Map, Value, json};

use crate::format::Case;
use crate::message;
use crate::world::World;

/// Errors that are part of LangGraph's contract.
const CONTRACT: [&str; 10] = [
    "CancelledError",
    "EmptyChannelError",
    "EmptyInputError",
    "GraphDrained",
    "GraphInterrupt",
    "GraphRecursionError",
    "InvalidUpdateError",
    "NodeTimeoutError",
    "ParentCommand",
    "UnknownInterruptError",
];

/// The raw ids met so far, each with its kind, and those that the case itself gave.
pub struct Canon {
    pub world: World,
    kinds: BTreeMap<String, &'static str>,
    given: BTreeSet<String>,
}

impl Canon {
    pub fn new(case: &Value, world: World) -> Self {
        let mut given = BTreeSet::new();
        texts(case, &mut given);
        Self { world, kinds: BTreeMap::new(), given }
    }

    fn id(&mut self, kind: &'static str, id: &str) -> Value {
        self.kinds.entry(id.to_owned()).or_insert(kind);
        id.into()
    }

    fn namespace(&mut self, namespace: &str) -> Value {
        for step in namespace.split('|') {
            if let Some((_, task)) = step.split_once(':') {
                self.id("task", task);
            }
        }
        namespace.into()
    }

    /// Any value: messages in the recordings' form, their own ids known.
    pub fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let fields = fields.iter().map(|(key, value)| (key.clone(), self.value(value)));
                let seen = message::stored(fields.collect());
                let typed = seen["type"].as_str().is_some() && seen.get("content").is_some();
                if let Some(id) =
                    seen["id"].as_str().filter(|id| typed && !self.given.contains(*id))
                {
                    self.id("msg", id);
                }
                seen
            }
            plain => plain.clone(),
        }
    }

    pub fn config(&mut self, place: Option<&CheckpointRef>) -> Value {
        let Some(place) = place else { return Value::Null };
        let mut config = json!({"checkpoint_id": self.id("checkpoint", &place.id)});
        if !place.namespace.is_empty() {
            config["checkpoint_ns"] = self.namespace(&place.namespace);
        }
        config
    }

    pub fn interrupt(&mut self, interrupt: &Interrupt) -> Value {
        let id = self.id("interrupt", &interrupt.id);
        let mut shown = json!({"id": id, "value": self.value(&interrupt.value)});
        if let Some(schema) = &interrupt.schema {
            shown["response_schema"] = schema.clone();
        }
        shown
    }

    pub fn interrupts(&mut self, interrupts: &[Interrupt]) -> Value {
        interrupts.iter().map(|interrupt| self.interrupt(interrupt)).collect()
    }

    pub fn snapshot(&mut self, snapshot: &StateSnapshot) -> Value {
        let config = match &snapshot.checkpoint {
            Some(place) => self.config(Some(place)),
            None => json!({}),
        };
        let next: Vec<_> = snapshot.next.iter().map(ToString::to_string).collect();
        json!({
            "values": self.value(&snapshot.values.to_value()),
            "next": next,
            "config": config,
            "parent_config": self.config(snapshot.parent.as_ref()),
            "metadata": self.metadata(snapshot),
            "tasks": snapshot.tasks.iter().map(|task| self.task(task)).collect::<Value>(),
            "interrupts": self.interrupts(&snapshot.interrupts),
        })
    }

    fn metadata(&mut self, snapshot: &StateSnapshot) -> Value {
        let Some(source) = snapshot.source else { return Value::Null };
        let source = match source {
            Source::Input => "input",
            Source::Loop => "loop",
            Source::Update => "update",
            Source::Fork => "fork",
        };
        let mut metadata = json!({"source": source, "step": snapshot.step});
        if !snapshot.parents.is_empty() {
            let parents = snapshot.parents.iter().map(|parent| {
                let id = self.id("checkpoint", &parent.id);
                json!({"ns": self.namespace(&parent.namespace), "checkpoint_id": id})
            });
            metadata["parents"] = parents.collect();
        }
        metadata
    }

    fn task(&mut self, task: &TaskSnapshot) -> Value {
        let path = match task.path {
            TaskPath::Edge => json!(["__pregel_pull", task.name]),
            TaskPath::Sent(place) => json!(["__pregel_push", place, false]),
        };
        let mut shown = json!({"id": self.id("task", &task.id), "name": task.name, "path": path});
        if let Some(error) = &task.error {
            shown["error"] = self.task_error(&error.class, &error.message);
        }
        if !task.interrupts.is_empty() {
            shown["interrupts"] = self.interrupts(&task.interrupts);
        }
        if let Some(result) = &task.result {
            shown["result"] = self.value(result);
        }
        match (&task.inner, &task.namespace) {
            (Some(inner), _) => shown["state"] = self.snapshot(inner),
            (None, Some(namespace)) => {
                let namespace = self.namespace(namespace);
                shown["state"] = json!({"config": {"checkpoint_ns": namespace}});
            }
            (None, None) => {}
        }
        shown
    }

    /// An error as a task's record keeps it.
    pub fn task_error(&self, class: &str, message: &str) -> Value {
        let message = message.lines().next().unwrap_or_default();
        json!({"class": class, "kind": self.kind(class, message), "message": message})
    }

    fn kind(&self, class: &str, message: &str) -> &'static str {
        if self.world.raised(class, message) {
            "scripted"
        } else if CONTRACT.contains(&class) {
            "langgraph"
        } else {
            "host"
        }
    }

    pub fn error(&self, error: &RunError) -> Value {
        let message = match error {
            RunError::Node { source, .. } => source.to_string(),
            other => other.to_string(),
        };
        let mut shown = self.task_error(error.kind(), &message);
        if shown["kind"] != "langgraph" {
            return shown;
        }
        if let Some(code) = error.code() {
            shown["code"] = code.into();
        }
        if let Some(reason) = error.reason() {
            shown["reason"] = reason.into();
        }
        if let RunError::Node { source, .. } = error
            && let Some(timed_out) = source.downcast_ref::<TimedOut>()
        {
            shown["node"] = timed_out.node.clone().into();
            shown["timeout_kind"] = match timed_out.limit {
                TimeLimit::Run => "run",
                TimeLimit::Idle => "idle",
            }
            .into();
        }
        shown
    }

    /// Learns the ids of a document that a shaper made: by the names of the keys they stand under.
    pub fn learn(&mut self, value: &Value) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| self.learn(item)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match (&**key, value.as_str()) {
                        ("checkpoint_id", Some(id)) => _ = self.id("checkpoint", id),
                        ("run_id", Some(id)) => _ = self.id("run", id),
                        ("checkpoint_ns" | "langgraph_checkpoint_ns" | "ns", Some(ns)) => {
                            _ = self.namespace(ns);
                        }
                        _ => self.learn(value),
                    }
                }
            }
            _ => {}
        }
    }

    pub fn learn_id(&mut self, kind: &'static str, id: &str) {
        self.id(kind, id);
    }

    pub fn learn_namespace(&mut self, namespace: &str) {
        self.namespace(namespace);
    }

    /// Numbers the raw ids in the order in which they first appear.
    pub fn number(&self, document: &Value) -> Value {
        let name = |text: &str| {
            let kind = self.kinds.get(text).filter(|_| !self.given.contains(text));
            kind.copied()
        };
        Numbering { name, names: BTreeMap::new(), counts: BTreeMap::new() }.walk(document)
    }
}

/// Numbers the ids of a document anew, for comparing it with another one: `<task:7>` is an id.
pub fn renumbered(document: &Value) -> Value {
    let name = |text: &str| {
        let inner = text.strip_prefix('<')?.strip_suffix('>')?;
        let (kind, number) = inner.split_once(':')?;
        number.parse::<u32>().ok()?;
        ["checkpoint", "task", "interrupt", "msg", "run"].into_iter().find(|known| *known == kind)
    };
    Numbering { name, names: BTreeMap::new(), counts: BTreeMap::new() }.walk(document)
}

struct Numbering<F> {
    /// The kind of an id; none if the text is no id.
    name: F,
    names: BTreeMap<String, String>,
    counts: BTreeMap<&'static str, u32>,
}

impl<F: Fn(&str) -> Option<&'static str>> Numbering<F> {
    fn walk(&mut self, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.walk(item)).collect(),
            Value::Object(fields) => {
                let mut in_order: Vec<_> = fields.iter().collect();
                in_order.sort_by_key(|(key, _)| *key);
                let walked: Map<_, _> = in_order
                    .into_iter()
                    .map(|(key, value)| (self.text(key), self.walk(value)))
                    .collect();
                walked.into()
            }
            Value::String(text) => self.text(text).into(),
            plain => plain.clone(),
        }
    }

    /// The text with the ids in it numbered; an id in a longer text stands between `:`, `|` and
    /// its ends.
    fn text(&mut self, text: &str) -> String {
        if let Some(kind) = (self.name)(text) {
            return self.named(text, kind);
        }
        let steps = text.split('|').map(|step| match step.split_once(':') {
            Some((node, task)) => match (self.name)(task) {
                Some(kind) => format!("{node}:{}", self.named(task, kind)),
                None => step.to_owned(),
            },
            None => step.to_owned(),
        });
        steps.collect::<Vec<_>>().join("|")
    }

    fn named(&mut self, text: &str, kind: &'static str) -> String {
        if let Some(name) = self.names.get(text) {
            return name.clone();
        }
        let count = self.counts.entry(kind).or_default();
        *count += 1;
        let name = format!("<{kind}:{count}>");
        self.names.insert(text.to_owned(), name.clone());
        name
    }
}

fn texts(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => _ = found.insert(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, found)),
        _ => {}
    }
}

/// The document of a case whose graph was refused.
pub fn refused(case: &Case, error: &impl std::fmt::Display) -> Value {
    let error = json!({"class": "ValueError", "kind": "host", "message": error.to_string()});
    json!({"id": case.id, "build_error": error})
}
