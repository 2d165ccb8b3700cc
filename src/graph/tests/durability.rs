//! When turns are saved, and what a crash then loses.

use super::*;

fn three() -> Graph {
    let nodes = graph().node("a", logs()).node("b", logs()).node("c", logs());
    nodes.edge(START, "a").edge("a", "b").edge("b", "c").build().expect("it builds")
}

fn options(durability: Durability) -> RunOptions {
    RunOptions::of_run("run").durability(durability)
}

#[tokio::test]
async fn every_durability_ends_in_the_same_state_and_exit_keeps_one_checkpoint() {
    let mut last = Vec::new();
    for (durability, checkpoints) in
        [(Durability::Sync, 5), (Durability::Async, 5), (Durability::Exit, 1)]
    {
        let saver = MemorySaver::default();
        let end = run_with(&three(), &saver, nothing(), options(durability)).await;
        assert_eq!(finished(end), json!(["a", "b", "c"]));
        let kept = saver.kept();
        assert_eq!(kept.checkpoints.len(), checkpoints, "{durability:?}");
        assert_eq!(kept.statuses.last(), Some(&TurnStatus::Finished), "{durability:?}");
        let latest = kept.latest("").expect("there is one").clone();
        last.push((latest.id, latest.step, latest.values));
    }
    assert_eq!(last[0], last[1]);
    assert_eq!(last[0], last[2]);
}

#[tokio::test]
async fn with_exit_a_run_follows_the_last_ones_checkpoint_and_says_all_that_changed() {
    let saver = MemorySaver::default();
    for id in ["r1", "r2"] {
        let options = RunOptions::of_run(id).durability(Durability::Exit);
        run_with(&three(), &saver, nothing(), options).await.expect("it ends");
    }
    let kept = saver.kept();
    let [first, second] = &*kept.checkpoints else { panic!("{:?}", kept.checkpoints) };
    assert_eq!((&first.parent, &second.parent), (&None, &Some(first.id.clone())));
    assert_eq!(second.changed["log"], Change::Appended { from: 3 });
    assert_eq!((first.step, second.step), (3, 8), "steps count although they are not kept");
}

#[tokio::test]
async fn with_exit_a_question_is_kept_and_can_be_answered() {
    let effects = Effects::default();
    let graph = graph()
        .node("a", logs())
        .node("ask", asks(&effects, &["sure?"]))
        .edge(START, "a")
        .edge("a", "ask")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    let end = run_with(&graph, &saver, nothing(), options(Durability::Exit)).await;
    let asked = open(end);
    assert_eq!(saver.kept().statuses, [TurnStatus::Interrupted], "one turn holds it all");
    let answer = resume([(&asked["sure?"], json!("yes"))]);
    let end = run_with(&graph, &reborn(&saver), answer, options(Durability::Exit)).await;
    assert_eq!(finished(end), json!(["a", "yes"]));
}
