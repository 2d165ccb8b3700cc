//! `interrupt_before`: the run stops before a node, and going on passes it once.

use super::*;

async fn paused_at(
    graph: &Graph,
    saver: &MemorySaver,
    run_id: &str,
    input: Input,
) -> Vec<Arc<str>> {
    match run(graph, saver, run_id, input).await {
        Ok(RunEnd::Paused { next, .. }) => next,
        other => panic!("the run should have paused: {other:?}"),
    }
}

#[tokio::test]
async fn a_pause_in_a_loop_comes_back_every_round_and_only_going_on_passes_it() {
    let again = |state: &State| state.get::<i64>("n").map(|n| if n < 2 { "a" } else { END });
    let graph = graph()
        .node("a", writes(Update::none().set("n", 1).set("log", json!(["a"]))))
        .node("gate", logs())
        .edge(START, "a")
        .edge("a", "gate")
        .conditional_edge("gate", again)
        .interrupt_before(["gate"])
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    assert_eq!(paused_at(&graph, &saver, "run", nothing()).await, ["gate".into()]);
    assert_eq!(saver.kept().statuses, [TurnStatus::Continues, TurnStatus::Paused]);
    // A worker that comes back after a crash repeats its input: that is no order to go on.
    let saver = reborn(&saver);
    assert_eq!(paused_at(&graph, &saver, "run", nothing()).await, ["gate".into()]);
    let refused = failure(run(&graph, &saver, "other", nothing()).await);
    assert_eq!(refused, "new input is refused: the thread still has gate to run");
    assert_eq!(paused_at(&graph, &saver, "run", Input::Continue).await, ["gate".into()]);
    let end = run(&graph, &reborn(&saver), "run", Input::Continue).await;
    assert_eq!(finished(end), json!(["a", "gate", "a", "gate"]));
}

#[tokio::test]
async fn a_pause_before_one_of_several_holds_all_of_them() {
    let graph = ["a", "b"]
        .into_iter()
        .fold(graph(), |graph, name| graph.node(name, logs()).edge(START, name))
        .interrupt_before(["b"])
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    assert_eq!(paused_at(&graph, &saver, "run", nothing()).await, ["a".into(), "b".into()]);
    assert_eq!(finished(run(&graph, &saver, "run", Input::Continue).await), json!(["a", "b"]));
}

#[tokio::test]
async fn a_pause_at_the_recursion_limit_is_still_a_pause() {
    let graph = graph()
        .node("a", logs())
        .node("gate", logs())
        .edge(START, "a")
        .edge("a", "gate")
        .interrupt_before(["gate"])
        .build()
        .expect("it builds");
    let limits = RunOptions::of_run("run").supersteps(std::num::NonZeroU32::MIN);
    let saver = MemorySaver::default();
    let end = run_with(&graph, &saver, nothing(), limits).await;
    assert!(matches!(end, Ok(RunEnd::Paused { .. })), "going on must not slip past: {end:?}");
}
