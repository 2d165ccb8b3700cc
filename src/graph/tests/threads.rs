//! Inputs on a thread, what is saved, and under which ids.

use std::collections::BTreeSet;
use std::num::NonZeroU32;

use super::*;

fn two_nodes() -> Graph {
    let nodes = graph().node("a", logs()).node("b", logs());
    nodes.edge(START, "a").edge("a", "b").build().expect("it builds")
}

#[tokio::test]
async fn each_superstep_is_one_turn_with_a_checkpoint_that_says_what_changed() {
    let saver = MemorySaver::default();
    assert_eq!(finished(run(&two_nodes(), &saver, "r1", nothing()).await), json!(["a", "b"]));
    let input = Input::New(json!({"log": ["again"], "n": 1}));
    run(&two_nodes(), &reborn(&saver), "r2", input.clone()).await.expect("a second input");
    run(&two_nodes(), &saver, "r2", input).await.expect("a second input");
    let kept = saver.kept();
    let told: Vec<_> = kept
        .checkpoints
        .iter()
        .map(|c| json!([c.run, c.step, c.source, c.changed, c.due, c.values["log"]]))
        .collect();
    assert_eq!(
        json!(told),
        json!([
            ["r1", -1, "input", {}, [], []],
            ["r1", 0, "loop", {}, ["a"], []],
            ["r1", 1, "loop", {"log": {"appended": {"from": 0}}}, ["b"], ["a"]],
            ["r1", 2, "loop", {"log": {"appended": {"from": 1}}}, [], ["a", "b"]],
            ["r2", 3, "input", {}, [], ["a", "b"]],
            [
                "r2", 4, "loop",
                {"log": {"appended": {"from": 2}}, "n": "replaced"},
                ["a"], ["a", "b", "again"]
            ],
            ["r2", 5, "loop", {"log": {"appended": {"from": 3}}}, ["b"], ["a", "b", "again", "a"]],
            ["r2", 6, "loop", {"log": {"appended": {"from": 4}}}, [], ["a", "b", "again", "a", "b"]],
        ])
    );
    let parents: Vec<_> = kept.checkpoints.iter().map(|c| c.parent.clone()).collect();
    let ids: Vec<_> = kept.checkpoints.iter().map(|c| Some(c.id.clone())).collect();
    assert_eq!(parents[0], None);
    assert_eq!(parents[1..], ids[..ids.len() - 1]);
    use TurnStatus::{Continues, Finished};
    assert_eq!(kept.statuses, [Continues, Continues, Finished, Continues, Continues, Finished]);
}

#[tokio::test]
async fn the_same_run_is_the_same_to_the_byte_and_another_run_has_other_ids() {
    let mut stored = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for id in ["r1", "r1", "r2"] {
        let saver = MemorySaver::default();
        run(&two_nodes(), &saver, id, nothing()).await.expect("it runs");
        let kept = saver.kept();
        ids.extend(kept.checkpoints.iter().map(|c| c.id.clone()));
        stored.insert(serde_json::to_string(&kept).expect("plain data"));
    }
    assert_eq!((stored.len(), ids.len()), (2, 8));
}

#[tokio::test]
async fn input_is_refused_while_something_is_pending_unless_it_says_restart() {
    let effects = Effects::default();
    let graph =
        graph().node("a", asks(&effects, &["sure?"])).edge(START, "a").build().expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "r1", nothing()).await);
    let refused = failure(run(&graph, &saver, "r2", nothing()).await);
    assert_eq!(refused, "new input is refused: the thread still has a to run");
    assert_eq!(effects.take(), ["a"], "a refused input runs nothing");
    assert_eq!(open(run(&graph, &saver, "r1", Input::Continue).await), asked);

    let anew = open(run(&graph, &saver, "r3", Input::Restart(json!({}))).await);
    assert_ne!(anew, asked, "the question of the new run is another one");
    let old = resume([(&asked["sure?"], json!("yes"))]);
    let refused = failure(run(&graph, &saver, "r3", old).await);
    assert_eq!(refused, format!("no open question has the id {}", asked["sure?"]));
    let new = resume([(&anew["sure?"], json!("yes"))]);
    assert_eq!(finished(run(&graph, &saver, "r3", new).await), json!(["yes"]));
}

#[tokio::test]
async fn an_input_that_is_repeated_by_the_same_run_is_taken_once() {
    let saver = MemorySaver::default();
    for _ in 0..2 {
        let log = finished(run(&two_nodes(), &saver, "r1", nothing()).await);
        assert_eq!(log, json!(["a", "b"]));
    }
    assert_eq!(saver.kept().statuses.len(), 3);
}

#[tokio::test]
async fn inputs_that_mean_nothing_here_are_refused() {
    let table = [
        (Input::Continue, "the thread has no checkpoint to go on from"),
        (Input::Resume(BTreeMap::new()), "a resume needs at least one answer"),
        (resume([("x", json!(1))]), "no open question has the id x"),
        (Input::New(json!("text")), "the input must be an object of state keys"),
        (Input::New(Value::Null), "the input must be an object of state keys"),
        (Input::New(json!({"typo": 1})), "__start__ wrote to typo, which is not a state key"),
    ];
    for (input, expected) in table {
        let saver = MemorySaver::default();
        assert_eq!(failure(run(&two_nodes(), &saver, "run", input).await), expected);
        assert_eq!(saver.kept().statuses, [], "{expected}");
    }
}

#[tokio::test]
async fn the_recursion_limit_counts_as_langgraph_does() {
    // One superstep more than the nodes need finds that nothing is left; it counts.
    for (limit, ends) in [(1, false), (2, false), (3, true)] {
        let saver = MemorySaver::default();
        let limit = NonZeroU32::new(limit).expect("not zero");
        let limits = RunOptions::of_run("run").supersteps(limit);
        let end = run_with(&two_nodes(), &saver, nothing(), limits).await;
        if ends {
            assert_eq!(finished(end), json!(["a", "b"]));
        } else {
            let expected =
                format!("the recursion limit of {limit} supersteps is reached without an end");
            assert_eq!(failure(end), expected);
            let status = saver.kept().statuses.last().copied();
            assert_eq!(status, Some(TurnStatus::Continues), "the run must not look finished");
        }
        // What was done is kept, and going on counts afresh.
        let limits = RunOptions::of_run("run").supersteps(NonZeroU32::MIN);
        let end = run_with(&two_nodes(), &saver, Input::Continue, limits).await;
        assert_eq!(finished(end), json!(["a", "b"]));
    }
}

#[tokio::test]
async fn a_checkpoint_of_another_graph_is_refused_by_name() {
    let other = |builder: GraphBuilder| builder.edge(START, "a").build().expect("it builds");
    let effects = Effects::default();
    let stops = graph().node("a", logs()).node("b", asks(&effects, &["?"])).edge("a", "b");
    let saver = MemorySaver::default();
    open(run(&other(stops), &saver, "run", nothing()).await);
    let table = [
        (graph().node("a", logs()), "it names the unknown node b"),
        (
            GraphBuilder::new("test").node("a", logs()).node("b", logs()),
            "its value of the state key facts is unknown here",
        ),
    ];
    for (builder, why) in table {
        let error = failure(run(&other(builder), &saver, "run", Input::Continue).await);
        assert_eq!(error, format!("the checkpoint does not fit this graph: {why}"));
    }
    // A restart drops what was due, so only the values have to fit.
    let graph = other(graph().node("a", logs()));
    let end = run(&graph, &saver, "r2", Input::Restart(json!({}))).await;
    assert_eq!(finished(end), json!(["a", "a"]));
}
