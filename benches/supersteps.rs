//! What one superstep of the graph runtime costs: without a checkpoint, with one kept in memory,
//! and with one committed to a SQLite file.
//!
//! `cargo bench --bench supersteps`. Each iteration is a run of a hundred supersteps.

#[path = "supersteps/runs.rs"]
mod runs;

use std::num::NonZeroU32;
use std::sync::Arc;

use countersign::graph::{
    Context, END, Graph, GraphBuilder, Input, MemorySaver, NoEvents, NoSaver, Reducer, RunOptions,
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

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn hundred_supersteps(bencher: Bencher<'_, '_>, saver: impl Fn() -> Arc<dyn Saver> + Sync) {
    let graph = counter();
    let runtime = runtime();
    let enough = NonZeroU32::new(SUPERSTEPS + 2).expect("more than nothing");
    bencher.counter(ItemsCount::new(SUPERSTEPS)).with_inputs(saver).bench_values(|saver| {
        let options = RunOptions::of_run("bench").supersteps(enough);
        let input = Input::New(json!({ "count": 0 }));
        runtime.block_on(graph.run(input, saver, Arc::new(NoEvents), options)).expect("it ends")
    });
}

#[divan::bench]
fn without_checkpoint(bencher: Bencher<'_, '_>) {
    hundred_supersteps(bencher, || Arc::new(NoSaver));
}

#[divan::bench]
fn with_checkpoint_in_memory(bencher: Bencher<'_, '_>) {
    hundred_supersteps(bencher, || Arc::new(MemorySaver::default()));
}

/// One run alone: every superstep waits for a durable commit of its own. The store has a task that
/// writes, so it lives on a runtime with a thread besides the one that runs the graph.
#[divan::bench(sample_count = 20)]
fn with_checkpoint_in_sqlite(bencher: Bencher<'_, '_>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let keeper = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let url = format!("sqlite://{}", folder.path().join("desk.db").display());
    let runs = keeper.block_on(runs::Runs::open(&url));
    print_costs(&keeper.block_on(runs.begin()));
    hundred_supersteps(bencher, || Arc::new(keeper.block_on(runs.begin())));
}

/// What a superstep asks of the store, counted over a hundred.
fn print_costs(saver: &runs::StoreSaver) {
    let options = RunOptions::of_run("bench")
        .supersteps(NonZeroU32::new(SUPERSTEPS + 2).expect("more than nothing"));
    let before = saver.store.cost();
    let input = Input::New(json!({ "count": 0 }));
    let graph = counter();
    let run = graph.run(input, Arc::new(saver.clone()), Arc::new(NoEvents), options);
    runtime().block_on(run).expect("it ends");
    let after = saver.store.cost();
    let each = |before: u64, after: u64| (after - before) as f64 / f64::from(SUPERSTEPS);
    println!(
        "a superstep: {} transactions, {} commits, {} statements of the writer, {} of readers",
        each(before.transactions, after.transactions),
        each(before.commits, after.commits),
        each(before.written, after.written),
        each(before.read, after.read),
    );
}
