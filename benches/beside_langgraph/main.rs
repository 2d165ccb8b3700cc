//! Our side of `bench/run`: reads the name of a scenario from a line, does it once on fresh
//! threads, and answers with the seconds it took and the units of work it did. The other side,
//! `bench/langgraph_side.py`, has the same graphs, scenario by scenario.
//!
//! SQLite is the desk's own store: WAL, `synchronous=FULL`, each superstep one durable commit
//! before the next begins; of threads that commit at once the writer commits what is waiting
//! together. Postgres is the same store on a fresh database of the server that
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
use countersign::graph::{Graph, Input, MemorySaver, NoEvents, NoSaver, RunEnd, RunOptions, Saver};
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
        "resume_memory" => {
            let saver = || -> Arc<dyn Saver> { Arc::new(MemorySaver::default()) };
            cycles((0..50).map(|_| saver()).collect()).await
        }
        "resume_sqlite" => cycles(savers(&store(folder).await, 30).await).await,
        "threads_sqlite" => threads(&store(folder).await, 5).await,
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
    let limit = NonZeroU32::new(100_000).expect("not zero");
    let options = RunOptions::of_run(format!("run {}", number())).supersteps(limit);
    graph.run(input, saver, Arc::new(NoEvents), options).await.expect("it ends well")
}

async fn count(saver: Arc<dyn Saver>, supersteps: usize) -> (Duration, usize) {
    let graph = graphs::counter();
    let start = now();
    run(&graph, saver, Input::New(json!({"count": 0, "goal": supersteps}))).await;
    (start.elapsed(), supersteps)
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
    let (graph, cycles) = (graphs::asker(), savers.len());
    let start = now();
    for saver in savers {
        let asked = run(&graph, Arc::clone(&saver), Input::New(json!({"answer": ""}))).await;
        let RunEnd::Interrupted { interrupts, .. } = asked else { panic!("it asks") };
        let answer = [(interrupts[0].id.clone(), json!("yes"))].into();
        let end = run(&graph, saver, Input::Resume(answer)).await;
        assert_eq!(end.state().value("answer"), Some(&json!("yes")));
    }
    (start.elapsed(), cycles)
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
    for saver in savers {
        let graph = Arc::clone(&graph);
        all.spawn(async move {
            let input = json!({"count": 0, "goal": supersteps});
            run(&graph, saver, Input::New(input)).await;
        });
    }
    all.join_all().await;
    (start.elapsed(), THREADS * supersteps)
}

async fn history(runs: &Runs, entries: usize, supersteps: usize) -> (Duration, usize) {
    let (graph, saver) = (graphs::logger(), Arc::new(runs.begin().await));
    let log: Value = (0..entries).map(|n| json!(format!("entry {n}"))).collect();
    let full = json!({"count": 0, "goal": 1, "log": log});
    run(&graph, saver.clone(), Input::New(full)).await;
    let again = json!({"count": 0, "goal": supersteps});
    let start = now();
    run(&graph, saver, Input::New(again)).await;
    (start.elapsed(), supersteps)
}
