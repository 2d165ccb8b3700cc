//! The graphs of the bench.

use countersign::graph::{
    Context, END, Graph, GraphBuilder, Reducer, START, SendTo, State, Update,
};
use serde_json::json;

/// One node that counts, and goes round until it has counted to the goal.
pub fn counter() -> Graph {
    GraphBuilder::new("counter")
        .key("count", Reducer::LastValue)
        .key("goal", Reducer::LastValue)
        .node("count", |_: Context, state: State| async move {
            let count: u32 = state.get("count")?;
            Ok(Update::none().set("count", count + 1))
        })
        .edge(START, "count")
        .conditional_edge("count", further)
        .build()
        .expect("a sound graph")
}

/// As the counter, and writes an entry to a list each time.
pub fn logger() -> Graph {
    GraphBuilder::new("logger")
        .key("count", Reducer::LastValue)
        .key("goal", Reducer::LastValue)
        .key("log", Reducer::Append)
        .node("count", |_: Context, state: State| async move {
            let count: u32 = state.get("count")?;
            let entry = json!([format!("entry {count}")]);
            Ok(Update::none().set("count", count + 1).set("log", entry))
        })
        .edge(START, "count")
        .conditional_edge("count", further)
        .build()
        .expect("a sound graph")
}

fn further(state: &State) -> &'static str {
    let read = |key| state.get::<u32>(key).unwrap_or_default();
    if read("count") < read("goal") { "count" } else { END }
}

/// A hundred tasks in one superstep, and one that follows them.
pub fn fan() -> Graph {
    GraphBuilder::new("fan")
        .key("total", Reducer::Sum)
        .node("work", |_: Context, state: State| async move {
            Ok(Update::none().set("total", state.get::<u32>("n")?))
        })
        .node("done", |_: Context, _: State| async move { Ok(Update::none()) })
        .conditional_edge(START, |_: &State| {
            (0..100).map(|n| SendTo::new("work", json!({"n": n}))).collect::<Vec<_>>()
        })
        .edge("work", "done")
        .build()
        .expect("a sound graph")
}

/// One node that asks.
pub fn asker() -> Graph {
    GraphBuilder::new("asker")
        .key("answer", Reducer::LastValue)
        .node("ask", |ctx: Context, _: State| async move {
            let answer = ctx.interrupt(json!({"question": "go on?"}))?;
            Ok(Update::none().set("answer", answer))
        })
        .edge(START, "ask")
        .build()
        .expect("a sound graph")
}
