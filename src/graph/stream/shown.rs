//! The forms in which chunks and events show tasks, questions and checkpoints.

use serde_json::{Map, Value, json};

use crate::graph::{
    CheckpointRef, Interrupt, Planned, PlannedTask, TaskError, TaskInfo, TaskStart, Update,
};

const INTERRUPT: &str = "__interrupt__";

/// What makes a sent task run, by LangGraph's name.
const PUSH: &str = "__pregel_push";
const PULL: &str = "__pregel_pull";

pub(super) fn interrupts(interrupts: &[Interrupt]) -> Value {
    let one = |interrupt: &Interrupt| {
        let mut shown = json!({"value": interrupt.value, "id": interrupt.id});
        if let Some(schema) = &interrupt.schema {
            shown["response_schema"] = schema.clone();
        }
        shown
    };
    interrupts.iter().map(one).collect()
}

/// Open questions in the place of an update.
pub(super) fn asked(interrupts: &[Interrupt]) -> Value {
    json!({ INTERRUPT: self::interrupts(interrupts) })
}

/// The values, with open questions beside them.
pub(super) fn values_asked(mut values: Value, interrupts: &[Interrupt]) -> Value {
    values[INTERRUPT] = self::interrupts(interrupts);
    values
}

/// What a task wrote to the keys that are shown: `{node: update}`. An update is null if there is
/// nothing, and a list if a key was written more than once.
pub(super) fn update(node: &str, update: &Update, shows: impl Fn(&str) -> bool) -> Value {
    let written = update.writes().filter(|(key, _)| shows(key));
    let written: Vec<_> = written.map(|(key, write)| (key.to_owned(), write.to_value())).collect();
    let twice = written
        .iter()
        .enumerate()
        .any(|(place, (key, _))| written[..place].iter().any(|(earlier, _)| earlier == key));
    let shown = match () {
        () if written.is_empty() => Value::Null,
        () if twice => written.into_iter().map(|(key, value)| json!({ key: value })).collect(),
        () => written.into_iter().collect::<Map<_, _>>().into(),
    };
    json!({ node: shown })
}

pub(super) fn triggers(task: &TaskInfo) -> Value {
    match task.path.sent() {
        Some(_) => json!([PUSH]),
        None => task.triggers.iter().map(|trigger| json!(&**trigger)).collect(),
    }
}

fn path(task: &TaskInfo) -> Value {
    match task.path.sent() {
        Some(place) => json!([PUSH, place, false]),
        None => json!([PULL, &*task.node]),
    }
}

/// What everything within a task carries.
pub(super) fn metadata(task: &TaskInfo) -> Value {
    let namespace = task.own_namespace();
    json!({
        "langgraph_step": task.step,
        "langgraph_node": &*task.node,
        "langgraph_triggers": triggers(task),
        "langgraph_path": path(task),
        "langgraph_checkpoint_ns": namespace,
        "checkpoint_ns": namespace,
    })
}

pub(super) fn task_start(start: &TaskStart) -> Value {
    json!({
        "id": start.task.id,
        "name": &*start.task.node,
        "input": start.input.to_value(),
        "triggers": triggers(&start.task),
    })
}

pub(super) fn task_end(
    task: &TaskInfo,
    error: Option<&TaskError>,
    result: &Value,
    asked: &[Interrupt],
) -> Value {
    json!({
        "id": task.id,
        "name": &*task.node,
        "error": error.map(self::error),
        "result": result,
        "interrupts": interrupts(asked),
    })
}

pub(super) fn error(error: &TaskError) -> Value {
    json!({"class": error.class, "message": error.message})
}

pub(super) fn checkpoint(planned: &Planned) -> Value {
    let mut metadata = json!({"source": planned.source.name(), "step": planned.step});
    if !planned.parents.is_empty() {
        let parents = planned.parents.iter();
        metadata["parents"] =
            parents.map(|at| json!({"ns": at.namespace, "checkpoint_id": at.id})).collect();
    }
    let next: Value = planned.tasks.iter().map(|task| json!(&*task.name)).collect();
    json!({
        "config": config(&planned.checkpoint),
        "parent_config": planned.parent.as_ref().map(config),
        "values": planned.state.to_value(),
        "metadata": metadata,
        "next": next,
        "tasks": planned.tasks.iter().map(planned_task).collect::<Value>(),
    })
}

fn planned_task(task: &PlannedTask) -> Value {
    let mut shown = json!({"id": task.id, "name": &*task.name});
    match (&task.error, &task.result) {
        (Some(failed), _) => shown["error"] = error(failed),
        (None, Some(result)) => shown["result"] = result.clone(),
        (None, None) => {}
    }
    if !task.interrupts.is_empty() {
        shown["interrupts"] = interrupts(&task.interrupts);
    }
    if let Some(namespace) = &task.namespace {
        shown["state"] = json!({"config": {"checkpoint_ns": namespace}});
    }
    shown
}

fn config(at: &CheckpointRef) -> Value {
    match &*at.namespace {
        "" => json!({"checkpoint_id": at.id}),
        namespace => json!({"checkpoint_id": at.id, "checkpoint_ns": namespace}),
    }
}
