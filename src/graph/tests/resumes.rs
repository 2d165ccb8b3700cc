//! Going on with a superstep that is not complete: what does not run again, and what is refused.

use super::*;

/// `a` logs; then `b` and `c` ask, and `d` just runs, side by side.
fn asking(effects: &Effects) -> Graph {
    let d = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            effects.note(ctx.node());
            std::future::ready(Ok(Update::none().set("log", json!(["d"])).goto("e")))
        }
    };
    graph()
        .node("a", logs())
        .node("b", asks(effects, &["b?"]))
        .node("c", asks(effects, &["c?"]))
        .node("d", d)
        .node("e", logs())
        .edge(START, "a")
        .edge("a", "b")
        .edge("a", "c")
        .edge("a", "d")
        .build()
        .expect("it builds")
}

#[tokio::test]
async fn finished_siblings_do_not_run_again_in_whatever_order_answers_come() {
    for (first, second) in [("b", "c"), ("c", "b")] {
        let effects = Effects::default();
        let graph = asking(&effects);
        let saver = MemorySaver::default();
        let asked = open(run(&graph, &saver, "run", nothing()).await);
        assert_eq!(effects.take(), ["b", "c", "d"]);
        let answer = |node: &str| resume([(&*asked[&format!("{node}?")], json!(node))]);

        let saver = reborn(&saver);
        let end = run(&graph, &saver, "run", answer(first)).await.expect("the other still waits");
        assert_eq!(end.state().get::<Value>("log").expect("a log"), json!(["a", first, "d"]));
        assert_eq!(
            open(Ok(end)),
            [(format!("{second}?"), asked[&format!("{second}?")].clone())].into()
        );
        assert_eq!(effects.take(), ["b", "c"], "d is finished");

        let saver = reborn(&saver);
        let end = run(&graph, &saver, "run", answer(second)).await;
        assert_eq!(finished(end), json!(["a", "b", "c", "d", "e"]), "its jump is kept as well");
        assert_eq!(effects.take(), [second], "{first} is finished too");
        assert_eq!(saver.kept().consumed, [asked["b?"].clone(), asked["c?"].clone()]);
    }
}

#[tokio::test]
async fn answers_that_find_no_open_question_are_refused_before_anything_runs() {
    let effects = Effects::default();
    let graph = asking(&effects);
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    let (b, c) = (&*asked["b?"], &*asked["c?"]);
    let end = run(&graph, &saver, "run", resume([(b, json!("b"))])).await;
    assert_eq!(open(end).len(), 1);
    effects.take();
    let table = [
        (resume([("nobody", json!(1))]), "no open question has the id nobody".to_owned()),
        (resume([(b, json!(1))]), format!("no open question has the id {b}")),
        (resume([(c, json!(1)), ("x", json!(1))]), "no open question has the id x".to_owned()),
        (Input::Resume(BTreeMap::new()), "a resume needs at least one answer".to_owned()),
    ];
    let before = serde_json::to_string(&saver.kept()).expect("plain data");
    for (input, expected) in table {
        assert_eq!(failure(run(&graph, &saver, "run", input).await), expected);
        assert_eq!(effects.take(), [""; 0], "{expected}");
    }
    assert!(saver.answer(c, "first"));
    let late = resume([(c, json!("second"))]);
    let expected = format!("no open question has the id {c}");
    assert_eq!(failure(run(&graph, &saver, "run", late).await), expected, "it has its answer");
    let mut kept = saver.kept();
    kept.answers.clear();
    assert_eq!(serde_json::to_string(&kept).expect("plain data"), before, "nothing was saved");
    kept.answers.insert("stray".into(), json!("yes"));
    let stray = run(&graph, &MemorySaver::of(kept), "run", Input::Continue).await;
    assert_eq!(failure(stray), "no open question has the id stray");
}

#[tokio::test]
async fn after_a_failure_finished_siblings_are_kept_and_only_the_rest_runs() {
    let effects = Effects::default();
    let notes = |turns: usize, fails: usize| {
        let (effects, tries) = (effects.clone(), Arc::new(Mutex::new(0)));
        move |ctx: Context, _: State| {
            let (effects, tries) = (effects.clone(), Arc::clone(&tries));
            async move {
                effects.note(ctx.node());
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                let mut tries = tries.lock().expect("not poisoned");
                *tries += 1;
                if *tries <= fails {
                    return Err(NodeError::message("no luck"));
                }
                Ok(Update::none().set("log", json!([ctx.node()])))
            }
        }
    };
    let graph = graph()
        .node("done", notes(0, 0))
        .node("fails", notes(2, 1))
        .node("slow", notes(9, 0))
        .edge(START, "done")
        .edge(START, "fails")
        .edge(START, "slow")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    assert_eq!(failure(run(&graph, &saver, "run", nothing()).await), "node fails failed: no luck");
    use TurnStatus::{Continues, Failed};
    assert_eq!(saver.kept().statuses, [Continues, Continues, Failed], "what was done was kept");
    assert_eq!(effects.take(), ["done", "fails", "slow"]);
    let end = run(&graph, &reborn(&saver), "run", Input::Continue).await;
    assert_eq!(finished(end), json!(["done", "fails", "slow"]));
    assert_eq!(effects.take(), ["fails", "slow"], "the slow one was cancelled by the failure");
}

/// Asks two questions, fails between them when told to, and after them unless the first answer is
/// a number.
fn picky(fails_early: &Arc<Mutex<bool>>) -> Graph {
    let fails_early = Arc::clone(fails_early);
    let node = move |ctx: Context, _: State| {
        let fails_early = *fails_early.lock().expect("not poisoned");
        async move {
            let count = ctx.interrupt("how many?")?;
            if fails_early {
                return Err(NodeError::message("not today"));
            }
            let which = ctx.interrupt("which?")?;
            let Some(count) = count.as_i64() else {
                return Err(NodeError::message("that is no number"));
            };
            Ok(Update::none().set("log", json!([count, which])))
        }
    };
    graph().node("a", node).edge(START, "a").build().expect("it builds")
}

#[tokio::test]
async fn an_answer_survives_a_failure_and_a_bad_one_can_be_given_anew() {
    let fails_early = Arc::new(Mutex::new(false));
    let graph = picky(&fails_early);
    let saver = MemorySaver::default();
    let first = open(run(&graph, &saver, "run", nothing()).await);
    let bad = resume([(&first["how many?"], json!("lots"))]);
    let second = open(run(&graph, &saver, "run", bad).await);
    let which = resume([(&second["which?"], json!("red"))]);
    let refused = "node a failed: that is no number";
    assert_eq!(failure(run(&graph, &saver, "run", which).await), refused);
    assert_eq!(failure(run(&graph, &reborn(&saver), "run", Input::Continue).await), refused);
    // A try that fails early must not forget the answers to what it did not reach.
    *fails_early.lock().expect("not poisoned") = true;
    let end = run(&graph, &saver, "run", Input::Continue).await;
    assert_eq!(failure(end), "node a failed: not today");
    *fails_early.lock().expect("not poisoned") = false;
    let better = resume([(&first["how many?"], json!(3))]);
    assert_eq!(finished(run(&graph, &reborn(&saver), "run", better).await), json!([3, "red"]));
}

#[tokio::test]
async fn a_question_beside_a_failure_surfaces_only_once_somebody_can_go_on_with_it() {
    let effects = Effects::default();
    let tries = Arc::new(Mutex::new(0));
    let fails_once = move |_: Context, _: State| {
        let mut tries = tries.lock().expect("not poisoned");
        *tries += 1;
        let first = *tries == 1;
        std::future::ready(match first {
            true => Err(NodeError::message("no luck")),
            false => Ok(Update::none()),
        })
    };
    let graph = graph()
        .node("ask", asks(&effects, &["sure?"]))
        .node("fail", fails_once)
        .edge(START, "ask")
        .edge(START, "fail")
        .build()
        .expect("it builds");
    let saver = MemorySaver::default();
    assert_eq!(failure(run(&graph, &saver, "run", nothing()).await), "node fail failed: no luck");
    assert_eq!(saver.kept().interrupts, BTreeMap::new());
    let asked = open(run(&graph, &saver, "run", Input::Continue).await);
    let end = run(&graph, &saver, "run", resume([(&asked["sure?"], json!("yes"))])).await;
    assert_eq!(finished(end), json!(["yes"]));
}
