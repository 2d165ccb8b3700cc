//! Commands: from nodes, from outside, and to the graph around.

use super::*;

fn command(resume: Option<Resume>, update: Update) -> Input {
    Input::Command(Command { resume, update })
}

#[tokio::test]
async fn a_command_from_outside_writes_and_jumps_beside_what_is_pending() {
    let effects = Effects::default();
    let graph = graph()
        .node("ask", asks(&effects, &["sure?"]))
        .node("aside", logs())
        .edge(START, "ask")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let jump = Update::none().set("n", 5).goto("aside");
    let end = run(&graph, &saver, "run", command(None, jump)).await.expect("ask still waits");
    assert_eq!(end.state().to_value()["n"], 5);
    assert_eq!(open(Ok(end)), asked, "the question keeps its id");
    // What the command wrote is kept with the checkpoint that it came to.
    let state = graph.state(&reborn(&saver), &At::latest()).await.expect("a state");
    assert_eq!(state.values.to_value()["n"], 5);
    assert_eq!(state.values.to_value()["log"], json!(["aside"]));
    let answer = command(Some(Resume::Answer(json!("yes"))), Update::none().set("n", 1));
    let end = run(&graph, &reborn(&saver), "run", answer).await.expect("it ends");
    assert_eq!(end.state().to_value()["n"], 6);
    assert_eq!(finished(Ok(end)), json!(["aside", "yes"]));
}

#[tokio::test]
async fn closing_a_thread_keeps_what_a_command_and_finished_siblings_wrote() {
    let effects = Effects::default();
    let graph = graph()
        .node("ask", asks(&effects, &["sure?"]))
        .node("done", logs())
        .edge(START, "ask")
        .edge(START, "done")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    open(run(&graph, &saver, "run", nothing()).await);
    open(run(&graph, &saver, "run", command(None, Update::none().set("n", 5))).await);
    graph.update_state(&saver, &At::latest(), Edit::end()).await.expect("it closes");
    let latest = saver.kept().latest("").expect("it is kept").clone();
    let end = run(&graph, &reborn(&saver), "r2", Input::Continue).await.expect("nothing is left");
    assert_eq!(
        (&end.state().to_value()["n"], &latest.changed["n"]),
        (&json!(5), &Change::Replaced)
    );
    assert_eq!(finished(Ok(end)), json!(["done"]));
}

#[tokio::test]
async fn a_command_starts_a_fresh_thread_unless_it_answers() {
    let graph = graph().node("a", logs()).node("b", logs());
    let graph = graph.edge(START, "a").build().expect("it builds");
    let saver = MemorySaver::default();
    let end = run(&graph, &saver, "run", command(None, Update::none().goto("b"))).await;
    assert_eq!(finished(end), json!(["a", "b"]), "the entry and the jump, in one superstep");
    let table = [
        (command(None, Update::none()), "a resume needs at least one answer"),
        (
            command(Some(Resume::Answer(json!(1))), Update::none()),
            "an answer without an id needs one open question, and there are 0",
        ),
        (
            command(Some(Resume::ById([("x".into(), json!(1))].into())), Update::none()),
            "no open question has the id x",
        ),
        (
            Input::Answer(json!(1)),
            "an answer without an id needs one open question, and there are 0",
        ),
    ];
    for (input, expected) in table {
        let saver = MemorySaver::default();
        assert_eq!(failure(run(&graph, &saver, "run", input).await), expected);
        assert_eq!(saver.kept().statuses, []);
    }
}

#[tokio::test]
async fn a_bare_answer_reaches_one_question_or_none() {
    let effects = Effects::default();
    let graph = graph()
        .node("b", asks(&effects, &["b?"]))
        .node("c", asks(&effects, &["c?"]))
        .edge(START, "b")
        .edge(START, "c")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let refused = failure(run(&graph, &saver, "run", Input::Answer(json!("yes"))).await);
    assert_eq!(refused, "an answer without an id needs one open question, and there are 2");
    let answer = resume([(&asked["c?"], json!("c!"))]);
    open(run(&graph, &saver, "run", answer).await);
    let end = run(&graph, &saver, "run", Input::Answer(json!("b!"))).await;
    assert_eq!(finished(end), json!(["b!", "c!"]));
    let late = failure(run(&graph, &saver, "run", Input::Answer(json!("again"))).await);
    assert_eq!(late, "an answer without an id needs one open question, and there are 0");
}

#[tokio::test]
async fn an_answer_that_does_not_fit_is_refused_before_it_is_kept() {
    let node = |ctx: Context, _: State| async move {
        let ask = Ask::new("how many?").schema(json!({"type": "integer"}));
        Ok(Update::none().set("n", ctx.ask(ask)?))
    };
    let graph = graph().node("a", node).edge(START, "a").build().expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let id = &asked["how many?"];
    let before = serde_json::to_string(&saver.kept()).expect("plain data");
    let refused = failure(run(&graph, &saver, "run", resume([(id, json!("lots"))])).await);
    assert!(refused.starts_with(&format!("the answer to {id} does not fit")), "{refused}");
    assert_eq!(serde_json::to_string(&saver.kept()).expect("plain data"), before);
    let end = run(&graph, &saver, "run", resume([(id, json!(3))])).await.expect("it ends");
    assert_eq!(end.state().to_value()["n"], 3);
}

#[tokio::test]
async fn a_key_written_twice_by_one_node_is_folded_twice_unless_it_takes_one_value() {
    let twice = |key: &'static str, first: Value, second: Value| {
        let both = Update::none().set(key, first).and(Update::none().set(key, second));
        graph().node("a", writes(both)).edge(START, "a").build().expect("it builds")
    };
    let added = outcome(&twice("n", json!(1), json!(2)), json!({})).await;
    assert_eq!(added["n"], 3);
    let plain = twice("plain", json!(1), json!(2));
    let refused = failure(run(&plain, &NoSaver, "run", nothing()).await);
    assert_eq!(refused, "a and a wrote to plain in one superstep, and plain takes one value");
}

#[tokio::test]
async fn an_overwrite_wins_over_all_writes_of_its_superstep_and_two_are_refused() {
    let fan = |a: Update, b: Update| {
        let graph = graph().node("a", writes(a)).node("b", writes(b));
        graph.edge(START, "a").edge(START, "b").build().expect("it builds")
    };
    let fresh = || Update::none().overwrite("log", json!(["fresh"]));
    let plain = || Update::none().set("log", json!(["plain"]));
    for graph in [fan(fresh(), plain()), fan(plain(), fresh())] {
        let end = outcome(&graph, json!({"log": ["old"]})).await;
        assert_eq!(end["log"], json!(["fresh"]));
    }
    let refused = run(&fan(fresh(), fresh()), &NoSaver, "run", nothing()).await;
    assert!(matches!(refused, Err(RunError::Conflict { .. })), "{refused:?}");
}
