//! What the real LangGraph did with a graph, our runtime does too.
//!
//! The cases and recordings under `tests/fixtures/langgraph` say what LangGraph did. Compared
//! here are results, errors, outside effects, and of the state: values, what is next, open
//! questions under stable ids, and the number of the superstep. Three things we do otherwise on
//! purpose, and the player below translates: new input drops what is pending only as
//! [`Input::Restart`]; a bare answer is put to the one open question by its id; the checkpoint of
//! an input (LangGraph's step −1) is one with its distribution (step 0). The cases in which an
//! answer finds no question, or several, are not here: we refuse such answers by type.

mod expression;
mod program;

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use countersign::graph::{
    Graph, Input, Interrupt, MemorySaver, NoEvents, NoSaver, RunEnd, RunError, RunOptions, Saver,
};
use serde_json::{Value, json};

use self::program::{World, items, text};

/// Calls whose recordings show LangGraph's own form of storage or history.
const NOT_COMPARED: [&str; 2] = ["history", "raw_checkpoint"];

#[tokio::test]
async fn every_case_goes_as_it_was_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/langgraph");
    let mut played = 0;
    for file in std::fs::read_dir(folder.join("cases")).expect("the cases are there") {
        let name = file.expect("the folder can be read").file_name();
        let read = |kind: &str| -> Value {
            let json = std::fs::read(folder.join(kind).join(&name)).expect("the file is there");
            serde_json::from_slice(&json).expect("it is JSON")
        };
        play(&read("cases"), &read("expected")).await;
        played += 1;
    }
    assert!(played > 0, "there are cases");
}

async fn play(case: &Value, expected: &Value) {
    let id = text(&case["id"]);
    let world = World::default();
    let graph = match program::graph(case, &world) {
        Ok(_) if case["build_error"] == true => panic!("{id} must not build"),
        Err(_) if case["build_error"] == true => return,
        built => built.expect("it builds"),
    };
    let keeps = case["checkpointer"] != false;
    let mut player = Player { graph, world, keeps, threads: BTreeMap::new(), ids: Ids::default() };
    for (place, call) in items(&case["script"]).iter().enumerate() {
        if !NOT_COMPARED.contains(&text(&call["call"]).as_str()) {
            let what = format!("{id}, call {place}");
            player.call(call, &expected["steps"][place], place, &what).await;
        }
    }
}

struct Player {
    graph: Graph,
    world: World,
    /// Whether the case has a checkpoint store.
    keeps: bool,
    threads: BTreeMap<String, Thread>,
    ids: Ids,
}

#[derive(Default)]
struct Thread {
    saver: MemorySaver,
    /// Every question ever asked here, in the order of asking.
    seen: Vec<Interrupt>,
    /// The questions that are open.
    open: Vec<Interrupt>,
    /// The state as the last run left it, if it did not fail.
    values: Option<Value>,
}

impl Player {
    async fn call(&mut self, call: &Value, expected: &Value, place: usize, what: &str) {
        let name = call["thread"].as_str().unwrap_or("t1").to_owned();
        let thread = self.threads.entry(name).or_default();
        if call["call"] != "get_state" {
            let input = input(&call["input"], thread);
            let limit = call["recursion_limit"].as_u64().unwrap_or(25);
            let end = match u32::try_from(limit).ok().and_then(NonZeroU32::new) {
                Some(limit) => {
                    let saver: Arc<dyn Saver> = match self.keeps {
                        true => Arc::new(thread.saver.clone()),
                        false => Arc::new(NoSaver),
                    };
                    let options = RunOptions::of_run(format!("run_{place}")).supersteps(limit);
                    let events = Arc::new(NoEvents);
                    Some(self.graph.run(input, saver, events, options).await)
                }
                // A limit of zero cannot even be said.
                None => None,
            };
            thread.note(end.as_ref());
            compare_end(end.as_ref(), call, expected, &mut self.ids, what);
            compare_effects(self.world.take_effects(), &expected["effects"], what);
        }
        if let Some(state) = expected.get("state") {
            thread.compare(state, &mut self.ids, what);
        }
    }
}

fn input(input: &Value, thread: &Thread) -> Input {
    let answers = |key: &str, questions: &[Interrupt]| -> Option<Input> {
        let id = |asked: &Value| {
            let question = questions.iter().find(|question| question.value == asked["where"]);
            question.expect("the case answers what was asked").id.clone()
        };
        let answers = items(input.get(key)?).iter();
        Some(Input::Resume(answers.map(|one| (id(one), one["value"].clone())).collect()))
    };
    let bare = || {
        let answer = input.get("$command")?.get("resume")?;
        let [question] = &*thread.open else { panic!("a bare answer needs one open question") };
        Some(Input::Resume([(question.id.clone(), answer.clone())].into()))
    };
    match input {
        Value::Null => Input::Continue,
        input => answers("$resume_by", &thread.open)
            .or_else(|| answers("$resume_seen", &thread.seen))
            .or_else(bare)
            .unwrap_or_else(|| Input::Restart(input.clone())),
    }
}

fn compare_end(
    end: Option<&Result<RunEnd, RunError>>,
    call: &Value,
    expected: &Value,
    ids: &mut Ids,
    what: &str,
) {
    match (end, &expected["error"]) {
        (Some(Ok(end)), Value::Null) => {
            if call["call"] == "invoke" {
                let mut result = end.state().to_value();
                if let RunEnd::Interrupted { interrupts, .. } = end {
                    result["__interrupt__"] = by_value(interrupts);
                }
                assert_eq!(result, ids.ours(&expected["result"], &result), "result of {what}");
            }
        }
        (Some(Err(error)), recorded) if recorded["kind"] != "host" => {
            let class = text(&recorded["class"]);
            let same = match error {
                RunError::RecursionLimit { .. } => class == "GraphRecursionError",
                RunError::NothingToContinue => class == "EmptyInputError",
                RunError::Conflict { .. } => class == "InvalidUpdateError",
                RunError::Node { source, .. } => source.to_string() == text(&recorded["message"]),
                _ => false,
            };
            assert!(same, "error of {what}: {error:?} instead of {recorded}");
        }
        (None | Some(Err(_)), Value::Object(_)) => {}
        (end, recorded) => panic!("{what}: {end:?} instead of {recorded}"),
    }
}

/// Effects of one superstep's tasks may come in any order; those of one task keep theirs.
fn compare_effects(mut effects: Vec<Value>, expected: &Value, what: &str) {
    let mut expected = items(expected).to_vec();
    for effect in &mut expected {
        let by = text(&effect["by"]);
        // A sent task is recorded as NODE#PLACE.
        effect["by"] = by.split('#').next().into();
    }
    for list in [&mut effects, &mut expected] {
        list.sort_by_key(|effect| (effect["step"].as_i64(), text(&effect["by"])));
    }
    assert_eq!(effects, expected, "effects of {what}");
}

impl Thread {
    fn note(&mut self, end: Option<&Result<RunEnd, RunError>>) {
        self.values = end.and_then(|end| end.as_ref().ok()).map(|end| end.state().to_value());
        match end {
            Some(Ok(RunEnd::Interrupted { interrupts, .. })) => self.open.clone_from(interrupts),
            Some(Ok(RunEnd::Finished { .. } | RunEnd::Paused { .. })) => self.open.clear(),
            Some(Err(_)) | None => {}
        }
        for question in &self.open {
            if !self.seen.iter().any(|seen| seen.id == question.id) {
                self.seen.push(question.clone());
            }
        }
    }

    fn compare(&self, expected: &Value, ids: &mut Ids, what: &str) {
        let kept = self.saver.kept();
        let Some(latest) = kept.checkpoints.last() else {
            assert_eq!(expected["values"], json!({}), "state of {what}");
            return;
        };
        let finished = kept.tasks.get(&latest.id).into_iter().flat_map(|tasks| tasks.values());
        let finished = finished.filter(|task| task.done.is_some());
        let mut next: Vec<_> = latest.due.iter().map(ToString::to_string).collect();
        next.extend(latest.sends.iter().map(|send| send.node.to_string()));
        for task in finished.clone() {
            let place = next.iter().position(|name| *name == *task.node);
            next.remove(place.expect("a finished task was due"));
        }
        next.sort();
        let mut expected_next: Vec<_> = items(&expected["next"]).iter().map(text).collect();
        expected_next.sort();
        assert_eq!(next, expected_next, "what is next after {what}");
        assert_eq!(json!(latest.step), expected["metadata"]["step"], "step after {what}");
        let open = by_value(&self.open);
        assert_eq!(open, ids.ours(&expected["interrupts"], &open), "questions after {what}");
        match &self.values {
            Some(values) => assert_eq!(*values, expected["values"], "values after {what}"),
            // Values that a failed superstep's finished tasks would add are only in its writes.
            None if finished.count() > 0 => {}
            None => assert_eq!(json!(latest.values), expected["values"], "values after {what}"),
        }
    }
}

fn by_value(interrupts: &[Interrupt]) -> Value {
    let mut list: Vec<_> = interrupts.iter().collect();
    list.sort_by_key(|question| question.value.to_string());
    list.iter().map(|question| json!({"id": question.id, "value": question.value})).collect()
}

/// Which of our ids stands for which recorded one: always the same, and no other.
#[derive(Default)]
struct Ids(BTreeMap<String, String>);

impl Ids {
    /// The recorded value with our ids in it, learning those that are new from `ours`.
    fn ours(&mut self, recorded: &Value, ours: &Value) -> Value {
        match (recorded, ours) {
            (Value::String(label), Value::String(id)) if label.starts_with("<interrupt:") => {
                let taken = self.0.values().any(|known| known == id);
                match self.0.get(label) {
                    Some(known) => known.clone().into(),
                    None if taken => recorded.clone(),
                    None => {
                        self.0.insert(label.clone(), id.clone());
                        id.clone().into()
                    }
                }
            }
            (Value::Array(recorded), Value::Array(ours)) if recorded.len() == ours.len() => {
                recorded
                    .iter()
                    .zip(ours)
                    .map(|(recorded, ours)| self.ours(recorded, ours))
                    .collect()
            }
            (Value::Object(fields), _) => fields
                .iter()
                .map(|(key, field)| {
                    (key.clone(), self.ours(field, ours.get(key).unwrap_or(&Value::Null)))
                })
                .collect(),
            (recorded, _) => recorded.clone(),
        }
    }
}
