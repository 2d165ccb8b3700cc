//! Retries, time limits and handlers, on a clock that the test turns.

use std::time::Duration;

use super::*;

/// Fails the first `times` times, then logs the number of its try.
fn fails(kind: &'static str, times: u32, effects: &Effects) -> impl Node + use<> {
    let effects = effects.clone();
    move |ctx: Context, _: State| {
        effects.note(format!("try {}", ctx.attempt()));
        std::future::ready(if ctx.attempt() <= times {
            Err(NodeError::of_kind(kind, "no luck"))
        } else {
            Ok(Update::none().set("log", json!([ctx.attempt()])))
        })
    }
}

fn policy(max_attempts: u32) -> RetryPolicy {
    RetryPolicy { max_attempts, jitter: Duration::ZERO, ..RetryPolicy::default() }
}

fn one(node: impl Node + 'static, options: NodeOptions) -> Graph {
    graph()
        .node_with("a", node, options)
        .node("fix", logs())
        .edge(START, "a")
        .build()
        .expect("it builds")
}

/// Runs a graph, turning the clock to whatever is waited for; gives the waits as well.
async fn turned(graph: &Graph, input: Input) -> (Result<RunEnd, RunError>, Vec<u128>) {
    let timer = ManualTimer::default();
    let options = RunOptions::of_run("run").timer(Arc::new(timer.clone()));
    let (saver, events) = (Arc::new(MemorySaver::default()), Arc::new(NoEvents));
    let mut running = Box::pin(graph.run(input, saver, events, options));
    let mut waits = Vec::new();
    loop {
        if let std::task::Poll::Ready(end) = futures::poll!(&mut running) {
            return (end, waits);
        }
        let wait = timer.next().expect("the run waits for the clock and nothing else");
        waits.push(wait.as_millis());
        timer.turn(wait);
    }
}

#[tokio::test]
async fn a_failing_node_is_tried_again_in_place_as_often_as_its_policy_says() {
    let effects = Effects::default();
    let graph = one(fails("Boom", 2, &effects), NodeOptions::new().retry(policy(3)));
    let (end, waits) = turned(&graph, nothing()).await;
    assert_eq!(finished(end), json!([3]));
    assert_eq!(waits, [500, 1000]);
    assert_eq!(effects.take(), ["try 1", "try 2", "try 3"]);

    let graph = one(fails("Boom", 9, &effects), NodeOptions::new().retry(policy(2)));
    let (end, waits) = turned(&graph, nothing()).await;
    assert_eq!(failure(end), "node a failed: no luck");
    assert_eq!((waits.len(), effects.take().len()), (1, 2));
}

#[tokio::test]
async fn of_several_policies_the_first_that_matches_counts_and_others_failures_are_final() {
    let on = |kind: &str, max| RetryPolicy {
        retry_on: RetryOn::Kinds(vec![kind.to_owned()]),
        ..policy(max)
    };
    let options = || NodeOptions::new().retry(on("Boom", 2)).retry(on("Bang", 4));
    for (kind, tries) in [("Boom", 2), ("Bang", 4), ("Other", 1)] {
        let effects = Effects::default();
        let (end, _) = turned(&one(fails(kind, 9, &effects), options()), nothing()).await;
        assert_eq!(end.expect_err("it never succeeds").kind(), kind);
        assert_eq!(effects.take().len(), tries, "{kind}");
    }
}

#[tokio::test]
async fn a_question_is_no_failure_and_answers_survive_a_retry() {
    let effects = Effects::default();
    let asks_then_fails = {
        let effects = effects.clone();
        move |ctx: Context, _: State| {
            let effects = effects.clone();
            async move {
                let answer = ctx.interrupt("sure?")?;
                effects.note(format!("try {}", ctx.attempt()));
                if ctx.attempt() == 1 {
                    return Err(NodeError::of_kind("Boom", "no luck"));
                }
                Ok(Update::none().set("log", json!([answer])))
            }
        }
    };
    let options =
        NodeOptions::new().retry(RetryPolicy { initial_interval: Duration::ZERO, ..policy(3) });
    let graph = one(asks_then_fails, options);
    let saver = MemorySaver::default();
    let asked = open(run(&graph, &saver, "run", nothing()).await);
    assert_eq!(effects.take(), [""; 0]);
    let timer = ManualTimer::default();
    let options = RunOptions::of_run("run").timer(Arc::new(timer.clone()));
    let answer = resume([(&asked["sure?"], json!("yes"))]);
    let (kept, events) = (Arc::new(saver.clone()), Arc::new(NoEvents));
    let mut running = Box::pin(graph.run(answer, kept, events, options));
    assert!(futures::poll!(&mut running).is_pending());
    timer.turn(Duration::ZERO);
    assert_eq!(finished(running.await), json!(["yes"]));
    assert_eq!(effects.take(), ["try 1", "try 2"]);
}

#[tokio::test]
async fn a_node_over_its_time_limit_fails_with_the_limit_that_it_broke() {
    let stuck = |_: Context, _: State| std::future::pending::<Result<Update, NodeError>>();
    let second = Duration::from_secs(1);
    let table = [
        (NodeOptions::new().run_timeout(second), TimeLimit::Run),
        (NodeOptions::new().idle_timeout(second), TimeLimit::Idle),
        (NodeOptions::new().idle_timeout(2 * second).run_timeout(second), TimeLimit::Run),
    ];
    for (options, limit) in table {
        let (end, waits) = turned(&one(stuck, options), nothing()).await;
        let Err(error @ RunError::Node { .. }) = end else { panic!("{end:?}") };
        assert_eq!((error.kind(), &*waits), ("NodeTimeoutError", &[1000][..]));
        let RunError::Node { source, .. } = error else { unreachable!("matched above") };
        let timed_out = source.downcast_ref::<TimedOut>().expect("it says which limit");
        assert_eq!((timed_out.limit, timed_out.after), (limit, second));
    }
}

#[tokio::test]
async fn whatever_is_heard_of_a_node_pushes_its_idle_limit_back() {
    let timer = ManualTimer::default();
    let works = {
        let timer = timer.clone();
        move |ctx: Context, _: State| {
            let timer = timer.clone();
            async move {
                for _ in 0..3 {
                    timer.sleep(Duration::from_millis(700)).await;
                    ctx.heartbeat();
                }
                timer.sleep(Duration::from_millis(1500)).await;
                Ok(Update::none())
            }
        }
    };
    let graph = one(works, NodeOptions::new().idle_timeout(Duration::from_secs(1)));
    let options = RunOptions::of_run("run").timer(Arc::new(timer.clone()));
    let (saver, events) = (Arc::new(MemorySaver::default()), Arc::new(NoEvents));
    let mut running = Box::pin(graph.run(nothing(), saver, events, options));
    let end = loop {
        if let std::task::Poll::Ready(end) = futures::poll!(&mut running) {
            break end;
        }
        timer.turn(timer.next().expect("somebody waits"));
    };
    assert_eq!(end.expect_err("it fell silent").kind(), "NodeTimeoutError");
    assert_eq!(timer.now(), 3 * 700 + 1000);
}

#[tokio::test]
async fn a_handler_stands_in_for_a_node_that_failed_for_good() {
    let effects = Effects::default();
    let handler = |ctx: Context, state: State| async move {
        let error = ctx.error().expect("a handler is told").clone();
        let told = json!([[error.node, error.class, error.message, state.get::<i64>("n")?]]);
        Ok(Update::none().set("log", told).goto("fix"))
    };
    let options = NodeOptions::new().retry(policy(2)).on_error(handler);
    let graph = graph()
        .node_with("a", fails("Boom", 9, &effects), options)
        .node("b", logs())
        .node("fix", logs())
        .edge(START, "a")
        .edge("a", "b")
        .build()
        .expect("it builds");
    let (end, _) = turned(&graph, Input::New(json!({"n": 7}))).await;
    assert_eq!(
        finished(end),
        json!([["a", "Boom", "no luck", 7], "fix"]),
        "its edge does not fire"
    );
    assert_eq!(effects.take().len(), 2);
}
