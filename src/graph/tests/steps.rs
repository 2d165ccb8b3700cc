//! What a node did is done, however often it starts again.

use super::*;

#[tokio::test]
async fn a_finished_step_is_not_done_again_after_a_question_a_failure_or_a_crash() {
    let effects = Effects::default();
    let tries = Arc::new(Mutex::new(0));
    let node = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            let (effects, tries) = (effects.clone(), Arc::clone(&tries));
            async move {
                let mut answers: Vec<u32> = Vec::new();
                for round in 0..2 {
                    let step = || async {
                        effects.note(format!("model {round}"));
                        Ok(round)
                    };
                    answers.push(ctx.step("model", step).await?);
                }
                let said = ctx.interrupt("sure?")?;
                let failed = {
                    let mut tries = tries.lock().expect("not poisoned");
                    *tries += 1;
                    *tries == 1
                };
                if failed {
                    return Err(NodeError::message("no luck"));
                }
                Ok(Update::none().set("log", json!([answers, said])))
            }
        }
    };
    let graph = graph().node("a", node).edge(START, "a").build().expect("it builds");
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    assert_eq!(effects.take(), ["model 0", "model 1"]);
    let answer = resume([(&asked["sure?"], json!("yes"))]);
    let failed = failure(run(&graph, &reborn(&saver), "run", answer.clone()).await);
    assert_eq!(failed, "node a failed: no luck");
    let end = run(&graph, &reborn(&saver), "run", answer).await;
    assert_eq!(finished(end), json!([[0, 1], "yes"]));
    assert_eq!(effects.take(), [""; 0], "no model was asked again");
}

#[tokio::test]
async fn a_step_is_kept_before_its_node_goes_on() {
    let effects = Effects::default();
    let node = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            let effects = effects.clone();
            async move {
                let step = || async {
                    effects.note("model");
                    Ok("words".to_owned())
                };
                let said: String = ctx.step("model", step).await?;
                if effects.take().is_empty() {
                    return Ok(Update::none().set("log", json!([said])));
                }
                // The process dies here.
                std::future::pending().await
            }
        }
    };
    let graph = graph().node("a", node).edge(START, "a").build().expect("it builds");
    let saver = MemorySaver::default();
    {
        let mut killed = Box::pin(run(&graph, &saver, "run", nothing()));
        assert!(futures::poll!(&mut killed).is_pending());
    }
    assert_eq!(finished(run(&graph, &reborn(&saver), "run", nothing()).await), json!(["words"]));
}

#[tokio::test]
async fn what_is_finished_is_kept_while_a_sibling_still_runs() {
    let effects = Effects::default();
    let stuck = Arc::new(Mutex::new(true));
    let quick = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            effects.note(ctx.node());
            std::future::ready(Ok(Update::none().set("log", json!([ctx.node()]))))
        }
    };
    let slow = {
        let (effects, stuck) = (effects.clone(), Arc::clone(&stuck));
        move |ctx: Context, _: State| {
            effects.note(ctx.node());
            let stuck = *stuck.lock().expect("not poisoned");
            async move {
                if stuck {
                    std::future::pending::<()>().await;
                }
                Ok(Update::none().set("log", json!([ctx.node()])))
            }
        }
    };
    let graph = graph().node("quick", quick).node("slow", slow);
    let graph = graph.edge(START, "quick").edge(START, "slow").build().expect("it builds");
    let saver = MemorySaver::default();
    {
        let mut killed = Box::pin(run(&graph, &saver, "run", nothing()));
        assert!(futures::poll!(&mut killed).is_pending());
        assert_eq!(effects.take(), ["quick", "slow"]);
    }
    *stuck.lock().expect("not poisoned") = false;
    let end = run(&graph, &reborn(&saver), "run", nothing()).await;
    assert_eq!(finished(end), json!(["quick", "slow"]));
    assert_eq!(effects.take(), ["slow"], "the finished sibling is not run again");
}

#[tokio::test]
async fn a_drained_run_stops_at_the_next_superstep_and_can_go_on() {
    let node = |ctx: Context, _: State| async move {
        ctx.drain("the process goes down");
        Ok(Update::none().set("log", json!([ctx.node()])))
    };
    let graph = graph().node("a", node).node("b", logs());
    let graph = graph.edge(START, "a").edge("a", "b").build().expect("it builds");
    let saver = MemorySaver::default();
    let stopped = failure(run(&graph, &saver, "run", nothing()).await);
    assert_eq!(stopped, "the run was asked to stop: the process goes down");
    let end = run(&graph, &reborn(&saver), "run", Input::Continue).await;
    assert_eq!(finished(end), json!(["a", "b"]));
    let drain = Drain::default();
    drain.request("before it began");
    let options = RunOptions::of_run("r2").drain(drain);
    let stopped = failure(run_with(&graph, &saver, Input::Continue, options).await);
    assert_eq!(stopped, "the run was asked to stop: before it began");
}
