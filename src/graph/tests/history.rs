//! Looking back at a thread, changing it from outside, and going on from an older checkpoint.

use super::*;

fn three(effects: &Effects) -> Graph {
    let notes = || {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            effects.note(ctx.node());
            std::future::ready(Ok(Update::none().set("log", json!([ctx.node()]))))
        }
    };
    let nodes = graph().node("a", notes()).node("b", notes()).node("c", notes());
    nodes.edge(START, "a").edge("a", "b").edge("b", "c").build().expect("it builds")
}

async fn history(graph: &Graph, saver: &MemorySaver) -> Vec<StateSnapshot> {
    let all = HistoryFilter::default();
    graph.history(saver, &At::latest(), &all).await.expect("a history")
}

/// Step, source, what is next and the log, newest first.
async fn told(graph: &Graph, saver: &MemorySaver) -> Vec<(i64, Source, String, Value)> {
    let history = history(graph, saver).await;
    let told = |s: StateSnapshot| {
        let log = s.values.to_value()["log"].clone();
        (s.step.expect("a step"), s.source.expect("a source"), s.next.join(" "), log)
    };
    history.into_iter().map(told).collect()
}

fn id(snapshot: &StateSnapshot) -> String {
    snapshot.checkpoint.clone().expect("it has a checkpoint").id
}

#[tokio::test]
async fn the_history_shows_each_step_with_its_tasks_and_what_they_wrote() {
    let graph = three(&Effects::default());
    let saver = MemorySaver::default();
    run(&graph, &saver, "run", Input::New(json!({"log": ["in"]}))).await.expect("it ends");
    use Source::{Input as In, Loop};
    assert_eq!(
        told(&graph, &reborn(&saver)).await,
        [
            (3, Loop, "".to_owned(), json!(["in", "a", "b", "c"])),
            (2, Loop, "c".to_owned(), json!(["in", "a", "b"])),
            (1, Loop, "b".to_owned(), json!(["in", "a"])),
            (0, Loop, "a".to_owned(), json!(["in"])),
            (-1, In, "__start__".to_owned(), json!([])),
        ]
    );
    let history = history(&graph, &saver).await;
    let results: Vec<_> = history[1..].iter().map(|s| s.tasks[0].result.clone()).collect();
    let logged = |name: &str| Some(json!({"log": [name]}));
    assert_eq!(results, [logged("c"), logged("b"), logged("a"), logged("in")]);
    let limited =
        HistoryFilter { limit: Some(1), before: Some(id(&history[1])), ..Default::default() };
    let limited = graph.history(&saver, &At::latest(), &limited).await.expect("a part of it");
    assert_eq!(limited.iter().map(id).collect::<Vec<_>>(), [id(&history[2])]);
    let unknown = graph.state(&MemorySaver::default(), &At::latest()).await.expect("empty");
    assert_eq!((unknown.values.to_value(), unknown.next.len()), (json!({}), 0));
}

#[tokio::test]
async fn the_latest_state_is_live_and_an_older_one_is_a_record() {
    let effects = Effects::default();
    let graph = graph()
        .node("b", asks(&effects, &["b?"]))
        .node("c", asks(&effects, &["c?"]))
        .node("d", logs())
        .edge(START, "b")
        .edge(START, "c")
        .join(["b", "c"], "d")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    open(run(&graph, &saver, "run", resume([(&asked["c?"], json!("C"))])).await);
    let live = graph.state(&saver, &At::latest()).await.expect("a state");
    assert_eq!(live.values.to_value()["log"], json!(["C"]));
    assert_eq!((live.next.join(" "), live.interrupts.len()), ("b".to_owned(), 1));
    let record = &history(&graph, &saver).await[0];
    assert_eq!(record.values.to_value()["log"], json!([]));
    assert_eq!((record.next.join(" "), record.interrupts.len()), ("b c".to_owned(), 2));
    finished(run(&graph, &saver, "run", resume([(&asked["b?"], json!("B"))])).await);
    let record = graph.state(&saver, &At::checkpoint(id(record))).await.expect("it is kept");
    let results: Vec<_> = record.tasks.iter().map(|task| task.result.clone()).collect();
    assert_eq!(results, [Some(json!({"log": ["B"]})), Some(json!({"log": ["C"]}))]);
}

#[tokio::test]
async fn an_update_acts_as_the_node_that_it_is_filed_under() {
    let effects = Effects::default();
    let graph = three(&effects);
    let saver = MemorySaver::default();
    run(&graph, &saver, "run", nothing()).await.expect("it ends");
    effects.take();
    let as_a = Edit::values(Update::none().set("log", json!(["as a"]))).as_node("a");
    graph.update_state(&saver, &At::latest(), as_a).await.expect("it is a node");
    let state = graph.state(&saver, &At::latest()).await.expect("a state");
    assert_eq!((state.next.join(" "), state.step), ("b".to_owned(), Some(4)));
    let end = run(&graph, &reborn(&saver), "r2", Input::Continue).await;
    assert_eq!(finished(end), json!(["a", "b", "c", "as a", "b", "c"]));
    assert_eq!(effects.take(), ["b", "c"]);

    let unclear = Edit::values(Update::none()).as_node("ghost");
    let refused = graph.update_state(&saver, &At::latest(), unclear).await;
    assert_eq!(refused.expect_err("there is no such node").to_string(), "ghost is not a node");
    let bulk = ["x", "y"].map(|word| Edit::values(Update::none().set("log", json!([word]))));
    let [x, y] = bulk;
    let steps = vec![vec![x.as_node("a")], vec![y.as_node("c")]];
    graph.bulk_update(&saver, &At::latest(), steps).await.expect("both apply");
    let state = graph.state(&saver, &At::latest()).await.expect("a state");
    assert_eq!((state.next.len(), state.step), (0, Some(6)));
}

#[tokio::test]
async fn an_update_at_an_open_question_closes_it_and_the_node_asks_anew() {
    let effects = Effects::default();
    let graph = graph()
        .node("a", logs())
        .node("b", asks(&effects, &["sure?"]))
        .edge(START, "a")
        .edge("a", "b")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let edit = Edit::values(Update::none().set("n", 1)).as_node("a");
    graph.update_state(&saver, &At::latest(), edit).await.expect("it applies");
    let old = resume([(&asked["sure?"], json!("yes"))]);
    let refused = failure(run(&graph, &saver, "run", old).await);
    assert_eq!(refused, format!("no open question has the id {}", asked["sure?"]));
    let anew = open(run(&graph, &saver, "run", Input::Continue).await);
    assert_ne!(anew["sure?"], asked["sure?"]);

    graph.update_state(&saver, &At::latest(), Edit::end()).await.expect("it closes");
    let state = graph.state(&saver, &At::latest()).await.expect("a state");
    assert_eq!((state.next.len(), state.interrupts.len()), (0, 0));
    assert_eq!(finished(run(&graph, &saver, "run", Input::Continue).await), json!(["a"]));
}

#[tokio::test]
async fn going_on_from_an_older_checkpoint_makes_a_branch_and_asks_anew() {
    let effects = Effects::default();
    let graph = graph()
        .node("a", logs())
        .node("b", asks(&effects, &["sure?"]))
        .edge(START, "a")
        .edge("a", "b")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    finished(run(&graph, &saver, "run", resume([(&asked["sure?"], json!("yes"))])).await);
    let old = id(&history(&graph, &saver).await[1]);
    for round in 0..2 {
        let options = || RunOptions::of_run("run").at(old.clone());
        let stale = resume([(&asked["sure?"], json!("no"))]);
        let refused = failure(run_with(&graph, &saver, stale, options()).await);
        assert_eq!(refused, format!("no open question has the id {}", asked["sure?"]), "{round}");
        let anew = open(run_with(&graph, &saver, Input::Continue, options()).await);
        assert_ne!(anew, asked, "an old decision is not used again");
        let answer = resume([(&anew["sure?"], json!(round))]);
        assert_eq!(finished(run(&graph, &saver, "run", answer).await), json!(["a", round]));
    }
    let sources: Vec<_> = history(&graph, &saver).await.iter().map(|s| s.source).collect();
    assert_eq!(sources.iter().filter(|source| **source == Some(Source::Fork)).count(), 2);
    let ids: Vec<_> = history(&graph, &saver).await.iter().map(id).collect();
    let unique: std::collections::BTreeSet<_> = ids.iter().collect();
    assert_eq!(unique.len(), ids.len(), "no two checkpoints share an id");
}
