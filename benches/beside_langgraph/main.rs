//! Our side of `bench/run`: reads the name of a scenario from a line, does it once on fresh
//! threads, and answers with the seconds it took and the units of work it did. The other side,
//! `bench/langgraph_side.py`, has the same graphs, scenario by scenario.
//!
//! SQLite is the desk's own store: WAL, `synchronous=FULL`, each superstep one durable commit
//! before the next begins, but for the one scenario in the background; of threads that commit at
//! once the writer commits what is waiting together. After each run, outside the time, its
//! checkpoints are counted. Postgres is the same store on a fresh database of the server that
//! `COUNTERSIGN_TEST_POSTGRES` names.

mod graphs;
#[path = "../supersteps/runs.rs"]
mod runs;

use std::io::{BufRead, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use countersign::base::RandomIds;
use countersign::graph::{
    Durability, Graph, Input, MemorySaver, NoEvents, NoSaver, RunEnd, RunOptions, Saver,
};
use countersign::store::Rehearsal;
use serde_json::{Value, json};

use crate::runs::Runs;

const THREADS: usize = 64;

#[tokio::main]
async fn main() {
    let folder = std::env::args().nth(1).expect("a folder to work in");
    for line in std::io::stdin().lock().lines() {
        let (took, units) = scenario(line.expect("a line").trim(), Path::new(&folder)).await;
        let done = json!({"seconds": took.as_secs_f64(), "units": units});
        println!("{done}");
        std::io::stdout().flush().expect("somebody listens");
    }
}

async fn scenario(name: &str, folder: &Path) -> (Duration, usize) {
    match name {
        "supersteps" => count(Arc::new(NoSaver), 500).await,
        "fan_out" => fan_out(5).await,
        "supersteps_memory" => count(Arc::new(MemorySaver::default()), 300).await,
        "supersteps_sqlite" => count(Arc::new(store(folder).await.begin().await), 100).await,
        "background_sqlite" => {
            let saver = Arc::new(store(folder).await.begin().await);
            count_with(Durability::Async, saver, 100).await
        }
        "resume_memory" => {
            let saver = || -> Arc<dyn Saver> { Arc::new(MemorySaver::default()) };
            cycles((0..50).map(|_| saver()).collect()).await
        }
        "resume_sqlite" => cycles(savers(&store(folder).await, 30).await).await,
        "threads_sqlite" => threads(&store(folder).await, 5).await,
        "resume_threads_sqlite" => resume_threads(&store(folder).await).await,
        "history_10" => history(&store(folder).await, 10, 50).await,
        "history_10000" => history(&store(folder).await, 10_000, 50).await,
        "supersteps_postgres" => {
            let server = postgres().await;
            let runs = Runs::open(&server.url()).await;
            count(Arc::new(runs.begin().await), 100).await
        }
        "resume_postgres" => {
            let server = postgres().await;
            cycles(savers(&Runs::open(&server.url()).await, 30).await).await
        }
        "threads_postgres" => {
            let server = postgres().await;
            threads(&Runs::open(&server.url()).await, 5).await
        }
        other => panic!("the scenario {other} is unknown"),
    }
}

#[expect(clippy::disallowed_methods, reason = "a bench measures durations")]
fn now() -> Instant {
    Instant::now()
}

/// A number that nothing else in this process has.
fn number() -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

async fn store(folder: &Path) -> Runs {
    let file = folder.join(format!("{}.db", number()));
    Runs::open(&format!("sqlite://{}", file.display())).await
}

/// A database of its own, which is dropped with the value.
async fn postgres() -> Rehearsal {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").expect("a server to measure on");
    Rehearsal::on(&server, &RandomIds).await.expect("a database")
}

async fn run(graph: &Graph, saver: Arc<dyn Saver>, input: Input) -> RunEnd {
    run_with(Durability::Sync, graph, saver, input).await
}

async fn run_with(
    durability: Durability,
    graph: &Graph,
    saver: Arc<dyn Saver>,
    input: Input,
) -> RunEnd {
    let limit = NonZeroU32::new(100_000).expect("not zero");
    let options = RunOptions::of_run(format!("run {}", number())).supersteps(limit);
    let options = options.durability(durability);
    graph.run(input, saver, Arc::new(NoEvents), options).await.expect("it ends well")
}

/// Nothing is won by not saving.
async fn check(saver: &dyn Saver, checkpoints: usize) {
    if saver.keeps() {
        let kept = saver.history("").await.expect("a history");
        assert_eq!(kept.len(), checkpoints, "checkpoints of a thread");
    }
}

async fn count(saver: Arc<dyn Saver>, supersteps: usize) -> (Duration, usize) {
    count_with(Durability::Sync, saver, supersteps).await
}

async fn count_with(
    durability: Durability,
    saver: Arc<dyn Saver>,
    supersteps: usize,
) -> (Duration, usize) {
    let graph = graphs::counter();
    let input = Input::New(json!({"count": 0, "goal": supersteps}));
    let start = now();
    run_with(durability, &graph, Arc::clone(&saver), input).await;
    let took = start.elapsed();
    check(&*saver, supersteps + 2).await;
    (took, supersteps)
}

async fn fan_out(times: usize) -> (Duration, usize) {
    let graph = graphs::fan();
    let start = now();
    for _ in 0..times {
        let end = run(&graph, Arc::new(NoSaver), Input::New(json!({"total": 0}))).await;
        assert_eq!(end.state().value("total"), Some(&json!(4950)));
    }
    (start.elapsed(), times * 101)
}

/// Each on a thread of its own.
async fn cycles(savers: Vec<Arc<dyn Saver>>) -> (Duration, usize) {
    let graph = graphs::asker();
    let start = now();
    for saver in &savers {
        cycle(&graph, saver).await;
    }
    let took = start.elapsed();
    check_cycles(&savers).await;
    (took, savers.len())
}

async fn cycle(graph: &Graph, saver: &Arc<dyn Saver>) {
    let asked = run(graph, Arc::clone(saver), Input::New(json!({"answer": ""}))).await;
    let RunEnd::Interrupted { interrupts, .. } = asked else { panic!("it asks") };
    let answer = [(interrupts[0].id.clone(), json!("yes"))].into();
    let end = run(graph, Arc::clone(saver), Input::Resume(answer)).await;
    assert_eq!(end.state().value("answer"), Some(&json!("yes")));
}

async fn check_cycles(savers: &[Arc<dyn Saver>]) {
    for saver in savers {
        check(&**saver, 3).await;
    }
}

async fn resume_threads(runs: &Runs) -> (Duration, usize) {
    let graph = Arc::new(graphs::asker());
    let savers = savers(runs, THREADS).await;
    let start = now();
    let mut all = tokio::task::JoinSet::new();
    for saver in savers.clone() {
        let graph = Arc::clone(&graph);
        all.spawn(async move { cycle(&graph, &saver).await });
    }
    all.join_all().await;
    let took = start.elapsed();
    check_cycles(&savers).await;
    (took, THREADS)
}

/// The savers of threads of their own.
async fn savers(runs: &Runs, threads: usize) -> Vec<Arc<dyn Saver>> {
    let mut savers: Vec<Arc<dyn Saver>> = Vec::new();
    for _ in 0..threads {
        savers.push(Arc::new(runs.begin().await));
    }
    savers
}

async fn threads(runs: &Runs, supersteps: usize) -> (Duration, usize) {
    let graph = Arc::new(graphs::counter());
    let savers = savers(runs, THREADS).await;
    let start = now();
    let mut all = tokio::task::JoinSet::new();
    for saver in savers.clone() {
        let graph = Arc::clone(&graph);
        all.spawn(async move {
            let input = json!({"count": 0, "goal": supersteps});
            run(&graph, saver, Input::New(input)).await;
        });
    }
    all.join_all().await;
    let took = start.elapsed();
    for saver in savers {
        check(&*saver, supersteps + 2).await;
    }
    (took, THREADS * supersteps)
}

async fn history(runs: &Runs, entries: usize, supersteps: usize) -> (Duration, usize) {
    let (graph, saver) = (graphs::logger(), Arc::new(runs.begin().await));
    let log: Value = (0..entries).map(|n| json!(format!("entry {n}"))).collect();
    let full = json!({"count": 0, "goal": 1, "log": log});
    run(&graph, saver.clone(), Input::New(full)).await;
    let again = json!({"count": 0, "goal": supersteps});
    let start = now();
    run(&graph, saver.clone(), Input::New(again)).await;
    let took = start.elapsed();
    check(&*saver, 3 + supersteps + 2).await;
    (took, supersteps)
}
