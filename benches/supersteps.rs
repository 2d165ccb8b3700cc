//! What one superstep of the graph runtime costs, without and with a checkpoint kept in memory.
//!
//! `cargo bench --bench supersteps`. Each iteration is a run of a hundred supersteps.

use std::num::NonZeroU32;
use std::sync::Arc;

use countersign::graph::{
    Context, END, Graph, GraphBuilder, Input, Limits, MemorySaver, NoEvents, NoSaver, Reducer,
    START, Saver, State, Update,
};
use divan::Bencher;
use divan::counter::ItemsCount;
use serde_json::json;

const SUPERSTEPS: u32 = 100;

fn main() {
    divan::main();
}

/// One node that counts, and goes round until it has counted to a hundred.
fn counter() -> Graph {
    GraphBuilder::new("counter")
        .key("count", Reducer::LastValue)
        .node("count", |_: Context, state: State| async move {
            let count: u32 = state.get("count")?;
            Ok(Update::none().set("count", count + 1))
        })
        .edge(START, "count")
        .conditional_edge("count", |state: &State| {
            let count: u32 = state.get("count").unwrap_or(SUPERSTEPS);
            if count < SUPERSTEPS { "count" } else { END }
        })
        .build()
        .expect("the counter is a sound graph")
}

fn hundred_supersteps(bencher: Bencher<'_, '_>, saver: impl Fn() -> Box<dyn Saver> + Sync) {
    let graph = counter();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let enough = NonZeroU32::new(SUPERSTEPS + 2).expect("more than nothing");
    bencher.counter(ItemsCount::new(SUPERSTEPS)).with_inputs(saver).bench_values(|saver| {
        let limits = Limits::of_run("bench").supersteps(enough);
        let input = Input::New(json!({ "count": 0 }));
        runtime
            .block_on(graph.run(input, saver.as_ref(), Arc::new(NoEvents), limits))
            .expect("it ends")
    });
}

#[divan::bench]
fn without_checkpoint(bencher: Bencher<'_, '_>) {
    hundred_supersteps(bencher, || Box::new(NoSaver));
}

#[divan::bench]
fn with_checkpoint_in_memory(bencher: Bencher<'_, '_>) {
    hundred_supersteps(bencher, || Box::new(MemorySaver::default()));
}
