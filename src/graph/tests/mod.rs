//! The promises of the runtime, each through [`Graph::run`], one file a topic.

mod background;
mod build;
mod care;
mod commands;
mod durability;
mod events;
mod guide;
mod history;
mod interrupts;
mod pauses;
mod recovery;
mod resumes;
mod steps;
mod streams;
mod subgraphs;
mod supersteps;
mod threads;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::*;

/// Outside effects, in the order of happening: what tells whether a node ran, and how often.
#[derive(Clone, Default)]
struct Effects(Arc<Mutex<Vec<String>>>);

impl Effects {
    fn note(&self, effect: impl Into<String>) {
        self.0.lock().expect("no test panics while it notes").push(effect.into());
    }

    /// What happened since this was last asked.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().expect("no test panics while it notes"))
    }
}

/// A graph with an append key `log`, a sum key `n`, a plain key `plain` and a merge key `facts`.
fn graph() -> GraphBuilder {
    GraphBuilder::new("test")
        .key("log", Reducer::Append)
        .key("n", Reducer::Sum)
        .key("plain", Reducer::LastValue)
        .key("facts", Reducer::Merge)
}

/// A node that logs its name and nothing else.
fn logs() -> impl Node {
    |ctx: Context, _: State| async move { Ok(Update::none().set("log", json!([ctx.node()]))) }
}

/// A node that always makes the same update.
fn writes(update: Update) -> impl Node {
    move |_: Context, _: State| std::future::ready(Ok(update.clone()))
}

/// A node that notes its name, asks `questions` one after the other, and logs the answers.
fn asks(effects: &Effects, questions: &'static [&'static str]) -> impl Node + use<> {
    let effects = effects.clone();
    move |ctx: Context, _: State| {
        let effects = effects.clone();
        async move {
            effects.note(ctx.node());
            let mut answers = Vec::new();
            for question in questions {
                answers.push(ctx.interrupt(*question)?);
            }
            Ok(Update::none().set("log", answers))
        }
    }
}

/// Input without any key.
fn nothing() -> Input {
    Input::New(json!({}))
}

async fn run(
    graph: &Graph,
    saver: &(impl Saver + Clone + 'static),
    id: &str,
    input: Input,
) -> Result<RunEnd, RunError> {
    run_with(graph, saver, input, RunOptions::of_run(id)).await
}

/// On a clock that stands still.
async fn run_with(
    graph: &Graph,
    saver: &(impl Saver + Clone + 'static),
    input: Input,
    options: RunOptions,
) -> Result<RunEnd, RunError> {
    let options = options.timer(Arc::new(ManualTimer::default()));
    graph.run(input, Arc::new(saver.clone()), Arc::new(NoEvents), options).await
}

/// Runs a graph without a saver and gives its final state.
async fn outcome(graph: &Graph, input: Value) -> Value {
    let end = run(graph, &NoSaver, "run", Input::New(input)).await.expect("the run ends");
    assert!(matches!(end, RunEnd::Finished { .. }), "{end:?}");
    end.state().to_value()
}

/// The log at the end of a run that finished.
fn finished(end: Result<RunEnd, RunError>) -> Value {
    match end {
        Ok(RunEnd::Finished { state }) => state.get("log").expect("the log is there"),
        other => panic!("the run should have finished: {other:?}"),
    }
}

/// The open questions at the end of a run that was suspended, by what was asked.
fn open(end: Result<RunEnd, RunError>) -> BTreeMap<String, String> {
    match end {
        Ok(RunEnd::Interrupted { interrupts, .. }) => interrupts
            .into_iter()
            .map(|open| (open.value.as_str().expect("a text was asked").to_owned(), open.id))
            .collect(),
        other => panic!("the run should be waiting: {other:?}"),
    }
}

/// The text of the error a run failed with, causes included.
fn failure(end: Result<RunEnd, RunError>) -> String {
    let error = match end {
        Err(error) => error,
        Ok(end) => panic!("the run should have failed: {end:?}"),
    };
    let mut text = error.to_string();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        text.push_str(&format!(": {source}"));
        cause = source;
    }
    text
}

/// The same thread in another process: all that is kept, through its stored form.
fn reborn(saver: &MemorySaver) -> MemorySaver {
    let stored = serde_json::to_string(&saver.kept()).expect("what is kept is plain data");
    MemorySaver::of(serde_json::from_str(&stored).expect("it reads its own form"))
}

fn resume<const N: usize>(answers: [(&str, Value); N]) -> Input {
    Input::Resume(answers.into_iter().map(|(id, answer)| (id.to_owned(), answer)).collect())
}
