//! Threads kept in the database: each checkpoint comes back as it was, and costs what changed.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use super::*;
use crate::approval::SlackUser;
use crate::base::{RandomIds, Span, SystemClock, WorkspaceId};
use crate::graph::{
    At, Context, Durability, END, Edit, Graph, GraphBuilder, HistoryFilter, Input, MemorySaver,
    NoEvents, Reducer, RunEnd, RunOptions, START, SaveError, Saver, Snapshot, State, StateSnapshot,
    Turn, Update,
};
use crate::store::{Definitions, NewMessage, Rehearsal};

/// Keeps a thread in the database and in memory, to compare.
#[derive(Clone)]
struct Both {
    store: Store,
    run: RunId,
    epoch: u64,
    memory: MemorySaver,
    _server: Option<Arc<Rehearsal>>,
}

/// A database of its own on the server that the tests are to run on, if there is one.
async fn server() -> Option<Rehearsal> {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").ok()?;
    Some(Rehearsal::on(&server, &RandomIds).await.expect("a database"))
}

fn turn_of(turn: Turn) -> Result<SaveTurn, SaveError> {
    let checkpoints = turn.checkpoints.into_iter().map(TryInto::try_into);
    let writes = turn.tasks.iter().map(TryInto::try_into);
    Ok(SaveTurn {
        namespace: turn.namespace,
        checkpoints: checkpoints.collect::<Result<_, _>>().map_err(SaveError::new)?,
        writes: writes.collect::<Result<_, _>>().map_err(SaveError::new)?,
        consumed: Vec::new(),
        questions: Vec::new(),
        notices: Vec::new(),
        events: Vec::new(),
        ending: None,
    })
}

impl Saver for Both {
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        async move {
            let checkpoint = at.checkpoint.as_deref();
            let stored = self.store.load_snapshot(&self.run, &at.namespace, checkpoint).await;
            let stored = stored.map_err(SaveError::new)?;
            stored.map(TryInto::try_into).transpose().map_err(SaveError::new)
        }
        .boxed()
    }

    fn history<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        async move {
            let stored = self.store.load_history(&self.run, namespace).await;
            let stored = stored.map_err(SaveError::new)?.into_iter().map(TryInto::try_into);
            stored.collect::<Result<_, _>>().map_err(SaveError::new)
        }
        .boxed()
    }

    fn save(&self, turns: Vec<Turn>) -> BoxFuture<'_, Result<(), SaveError>> {
        async move {
            self.memory.save(turns.clone()).await?;
            let turns = turns.into_iter().map(turn_of).collect::<Result<_, _>>()?;
            self.store.save_turns(&self.run, self.epoch, turns).await.map_err(SaveError::new)
        }
        .boxed()
    }
}

impl Both {
    async fn open(folder: &tempfile::TempDir) -> Self {
        let server = server().await;
        let file = || format!("sqlite://{}", folder.path().join("desk.db").display());
        let url = server.as_ref().map_or_else(file, Rehearsal::url);
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let store = Store::open(&url, clock, ids).await.expect("a store");
        let user = SlackUser { team: "T1".to_owned(), user: "U1".to_owned(), enterprise: None };
        let message = NewMessage {
            workspace: WorkspaceId::existing("T1"),
            event_key: "event:1".to_owned(),
            message_key: "message:1".to_owned(),
            body_hash: String::new(),
            agent: "test".to_owned(),
            graph_hash: String::new(),
            channel: "D1".to_owned(),
            thread_ts: "1.0".to_owned(),
            user,
            text: "go".to_owned(),
            ts: "1.0".to_owned(),
            told_to_wait: String::new(),
        };
        store.take_message(message).await.expect("it is taken");
        let known = Definitions::of([("test".to_owned(), String::new())]);
        let claimed = store.claim_runs("test", Span::minutes(60), 1, &known).await;
        let run = claimed.expect("a claim").into_iter().next().expect("a run");
        let (run, epoch, memory) = (run.id, run.epoch, MemorySaver::default());
        Self { store, run, epoch, memory, _server: server.map(Arc::new) }
    }

    async fn go(&self, graph: &Graph, input: Input, options: RunOptions) -> RunEnd {
        let (saver, events) = (Arc::new(self.clone()), Arc::new(NoEvents));
        graph.run(input, saver, events, options).await.expect("the run goes on")
    }

    /// What the database shows of a namespace is what memory does.
    async fn compare(&self, graph: &Graph, namespace: &str) -> Vec<StateSnapshot> {
        let at = At::latest().within(namespace);
        let all = HistoryFilter::default();
        let kept = graph.history(self, &at, &all).await.expect("a history");
        let remembered = graph.history(&self.memory, &at, &all).await.expect("a history");
        let told = |history: &[StateSnapshot]| {
            let told = history.iter().map(|s| format!("{s:?}"));
            told.collect::<Vec<_>>()
        };
        assert_eq!(told(&kept), told(&remembered));
        for snapshot in &kept {
            let id = snapshot.checkpoint.clone().expect("it is kept").id;
            let one = graph.state(self, &At::checkpoint(id.clone()).within(namespace)).await;
            let other = graph.state(&self.memory, &At::checkpoint(id).within(namespace)).await;
            let (one, other) = (one.expect("it is kept"), other.expect("it is kept"));
            assert_eq!(format!("{one:?}"), format!("{other:?}"));
        }
        kept
    }

    /// How many bytes of text rows a thread has.
    async fn bytes(&self) -> i64 {
        let mut snapshot = self.store.snapshot().await.expect("it can be read");
        sqlx::query_scalar(
            "SELECT (SELECT COALESCE(SUM(LENGTH(value)), 0) FROM state_values)
                  + (SELECT COALESCE(SUM(LENGTH(body) + LENGTH(keys)), 0) FROM checkpoints)
                  + (SELECT COALESCE(SUM(LENGTH(body)), 0) FROM pending_writes)",
        )
        .fetch_one(&mut snapshot)
        .await
        .expect("it can be counted")
    }
}

/// A node that goes round until the count is reached, writes keys of every kind, and asks a graph
/// within on its way.
fn graph() -> Graph {
    let within = GraphBuilder::new("within")
        .key("log", Reducer::Append)
        .node("ask", |ctx: Context, _: State| async move {
            let answer = ctx.interrupt("go on?")?;
            Ok(Update::none().set("log", json!([answer])))
        })
        .edge(START, "ask")
        .output_keys([""; 0])
        .build()
        .expect("it builds");
    GraphBuilder::new("test")
        .key("log", Reducer::Append)
        .key("messages", Reducer::Messages)
        .key("count", Reducer::Sum)
        .key("last", Reducer::LastValue)
        .key("news", Reducer::Topic)
        .node("round", |_: Context, state: State| async move {
            let count: i64 = state.get("count")?;
            let update = Update::none()
                .set("count", 1)
                .set("log", json!([count]))
                .set(
                    "messages",
                    json!({"type": "ai", "content": count, "id": (count % 3).to_string()}),
                )
                .set("last", json!({"count": count}));
            Ok(if count % 2 == 0 { update.set("news", count) } else { update })
        })
        .subgraph("within", Arc::new(within))
        .edge(START, "round")
        .conditional_edge("round", |state: &State| {
            state.get::<i64>("count").map(|count| match count {
                4 => "within",
                9.. => END,
                _ => "round",
            })
        })
        .edge("within", "round")
        .build()
        .expect("it builds")
}

#[tokio::test]
async fn every_checkpoint_comes_back_as_it_was_through_questions_forks_and_updates() {
    let folder = tempfile::tempdir().expect("a folder");
    let (both, graph) = (Both::open(&folder).await, graph());
    let options = || RunOptions::of_run("run");
    let RunEnd::Interrupted { interrupts, .. } =
        both.go(&graph, Input::New(json!({"log": ["in"]})), options()).await
    else {
        panic!("the graph within asks");
    };
    let within = graph.state_with_subgraphs(&both, &At::latest()).await.expect("a state");
    let within = within.tasks[0].inner.as_ref().and_then(|inner| inner.checkpoint.clone());
    let within = within.expect("the graph within is kept").namespace;
    both.compare(&graph, &within).await;
    let answer = Input::Resume([(interrupts[0].id.clone(), json!("yes"))].into());
    let end = both.go(&graph, answer, options()).await;
    assert_eq!(end.state().to_value()["count"], 9);
    let history = both.compare(&graph, "").await;
    both.compare(&graph, &within).await;

    let old = history[3].checkpoint.clone().expect("it is kept").id;
    let fork = options().at(old.clone());
    both.go(&graph, Input::Continue, fork).await;
    both.compare(&graph, "").await;
    let edit = Edit::values(Update::none().set("count", -1).set("log", json!(["edit"])));
    graph.update_state(&both, &At::checkpoint(old), edit.as_node("round")).await.expect("a branch");
    both.go(&graph, Input::Continue, options()).await;
    let history = both.compare(&graph, "").await;
    assert_eq!(history[0].values.to_value()["log"].as_array().map(Vec::len), Some(12));
}

#[tokio::test]
async fn what_is_saved_in_the_background_comes_back_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let (both, graph) = (Both::open(&folder).await, graph());
    let options = || RunOptions::of_run("run").durability(Durability::Async);
    let RunEnd::Interrupted { interrupts, .. } =
        both.go(&graph, Input::New(json!({"log": ["in"]})), options()).await
    else {
        panic!("the graph within asks");
    };
    both.compare(&graph, "").await;
    let answer = Input::Resume([(interrupts[0].id.clone(), json!("yes"))].into());
    both.go(&graph, answer, options()).await;
    assert_eq!(both.compare(&graph, "").await.len(), 12, "input, its distribution, ten supersteps");
}

#[tokio::test]
async fn turns_that_come_together_are_kept_in_one_commit_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let both = Both::open(&folder).await;
    let turn = |id: &str, consumed: &[&str]| SaveTurn {
        namespace: String::new(),
        checkpoints: vec![NewCheckpoint {
            id: id.to_owned(),
            parent: None,
            namespace: String::new(),
            step: 0,
            body: json!({}),
            keys: Vec::new(),
            changes: Vec::new(),
        }],
        writes: Vec::new(),
        consumed: consumed.iter().map(|id| (*id).to_owned()).collect(),
        questions: Vec::new(),
        notices: Vec::new(),
        events: Vec::new(),
        ending: None,
    };
    let (store, run, epoch) = (&both.store, &both.run, both.epoch);
    let turns = vec![turn("x", &[]), turn("y", &["nobody asked"])];
    let refused = store.save_turns(run, epoch, turns).await;
    assert!(matches!(refused, Err(StoreError::Conflict(_))), "{refused:?}");
    let refused = store.save_turns(run, epoch + 1, vec![turn("z", &[])]).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    let end = SaveTurn { ending: Some(Ending::Done), ..turn("end", &[]) };
    let refused = store.save_turns(run, epoch, vec![end, turn("after it", &[])]).await;
    assert!(matches!(refused, Err(StoreError::Fenced)), "{refused:?}");
    let commits = store.cost().commits;
    let turns = ["a", "b", "c"].map(|id| turn(id, &[]));
    store.save_turns(run, epoch, turns.into()).await.expect("they are kept");
    assert_eq!(store.cost().commits - commits, 1);
    let kept = both.store.load_history(&both.run, "").await.expect("a history");
    let ids: Vec<_> = kept.iter().map(|kept| &kept.checkpoint.id).collect();
    assert_eq!(ids, ["c", "b", "a"]);
}

#[tokio::test]
async fn what_a_superstep_stores_does_not_grow_with_the_history() {
    let mut costs = Vec::new();
    for entries in [10, 10_000] {
        let folder = tempfile::tempdir().expect("a folder");
        let both = Both::open(&folder).await;
        let graph = GraphBuilder::new("test")
            .key("log", Reducer::Append)
            .key("messages", Reducer::Messages)
            .node("a", |_: Context, _: State| async {
                let message = json!({"type": "ai", "content": "new"});
                Ok(Update::none().set("log", json!(["new"])).set("messages", message))
            })
            .edge(START, "a")
            .build()
            .expect("it builds");
        let log: Vec<Value> = (0..entries).map(|n| json!(n)).collect();
        let messages: Vec<Value> = (0..entries)
            .map(|n| json!({"type": "human", "content": "old", "id": n.to_string()}))
            .collect();
        let input = Input::New(json!({"log": log, "messages": messages}));
        both.go(&graph, input, RunOptions::of_run("first")).await;
        let before = both.bytes().await;
        both.go(&graph, Input::New(json!({})), RunOptions::of_run("other")).await;
        costs.push(both.bytes().await - before);
        let state = graph.state(&both, &At::latest()).await.expect("a state");
        assert_eq!(state.values.list("log").map(crate::graph::SharedList::len), Some(entries + 2));
    }
    assert!(costs[0] < 3_000, "{costs:?}");
    // The places of entries have more digits.
    assert!((costs[1] - costs[0]).abs() < 100, "{costs:?}");
}
