//! What runs when, and how writes are folded.

use serde::{Deserialize, Serialize};

use super::*;

#[tokio::test]
async fn edges_routes_joins_and_sends_lead_where_they_say() {
    let at_least = |limit: i64| {
        move |state: &State| state.get::<i64>("n").map(|n| if n < limit { "a" } else { END })
    };
    let counts = || writes(Update::none().set("n", 1).set("log", json!(["a"])));
    let once_more = |state: &State| -> Result<_, NodeError> {
        Ok(if state.get::<Vec<String>>("log")?.len() < 5 { "b" } else { END })
    };
    let table: [(&str, GraphBuilder, Value); 10] = [
        (
            "two nodes",
            graph().node("a", logs()).node("b", logs()).edge(START, "a").edge("a", "b"),
            json!(["a", "b"]),
        ),
        (
            "a loop until a condition holds",
            graph().node("a", counts()).edge(START, "a").conditional_edge("a", at_least(3)),
            json!(["a", "a", "a"]),
        ),
        (
            "a conditional entry",
            graph()
                .node("a", logs())
                .node("b", logs())
                .conditional_edge(START, |_: &State| vec!["b"]),
            json!(["b"]),
        ),
        (
            "a route to several runs them in one superstep, by name",
            graph()
                .node("a", logs())
                .node("b", logs())
                .node("c", logs())
                .edge(START, "a")
                .conditional_edge("a", |_: &State| vec!["c", "b", END]),
            json!(["a", "b", "c"]),
        ),
        (
            "plain edges of branches of equal length run their target once",
            diamond().edge("b", "d").edge("c", "d"),
            json!(["a", "b", "c", "d"]),
        ),
        (
            "plain edges of branches of unequal length run it twice",
            diamond().node("e", logs()).edge("b", "d").edge("c", "e").edge("e", "d"),
            json!(["a", "b", "c", "d", "e", "d"]),
        ),
        (
            "a join waits for all, however long that takes",
            diamond().node("e", logs()).edge("c", "e").join(["b", "e"], "d"),
            json!(["a", "b", "c", "e", "d"]),
        ),
        (
            "a join that was taken waits for all anew",
            diamond().join(["b", "c"], "d").conditional_edge("d", once_more),
            json!(["a", "b", "c", "d", "b"]),
        ),
        (
            "a join that is never complete never runs",
            diamond().node("e", logs()).join(["b", "e"], "d"),
            json!(["a", "b", "c"]),
        ),
        (
            "a jump comes on top of the node's edges",
            graph()
                .node("a", writes(Update::none().set("log", json!(["a"])).goto("c")))
                .node("b", logs())
                .node("c", logs())
                .edge(START, "a")
                .edge("a", "b"),
            json!(["a", "b", "c"]),
        ),
    ];
    for (what, builder, log) in table {
        let graph = builder.build().expect(what);
        assert_eq!(outcome(&graph, json!({})).await["log"], log, "{what}");
    }
}

/// `a` leads to `b` and `c`; `d` is there to be led to.
fn diamond() -> GraphBuilder {
    let nodes = ["a", "b", "c", "d"].into_iter().fold(graph(), |graph, n| graph.node(n, logs()));
    nodes.edge(START, "a").edge("a", "b").edge("a", "c")
}

#[tokio::test]
async fn each_item_is_sent_to_a_task_of_its_own_and_their_writes_keep_the_order() {
    let square = |_: Context, sent: State| async move {
        let item: u32 = sent.get("item")?;
        // The first sent finishes last.
        for _ in 0..10_u32.saturating_sub(item) {
            tokio::task::yield_now().await;
        }
        Ok(Update::none().set("log", json!([item * item])).set("n", item))
    };
    let sends = |state: &State| -> Result<Vec<SendTo>, NodeError> {
        let items: Vec<u32> = state.get("plain")?;
        Ok(items.into_iter().map(|item| SendTo::new("square", json!({"item": item}))).collect())
    };
    let graph = graph()
        .node("square", square)
        .node("sum", logs())
        .conditional_edge(START, sends)
        .edge("square", "sum")
        .build()
        .expect("it builds");
    let state = outcome(&graph, json!({"plain": [3, 1, 2]})).await;
    assert_eq!(state["log"], json!([9, 1, 4, "sum"]), "one reduce after all the squares");
    assert_eq!(state["n"], json!(6));
    assert_eq!(outcome(&graph, json!({"plain": []})).await["log"], json!([]));
}

#[tokio::test]
async fn writes_are_applied_by_name_and_not_by_who_finishes_first() {
    let slow = |turns: usize| {
        move |ctx: Context, _: State| async move {
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            let update = Update::none().set("log", json!([ctx.node()]));
            Ok(update.set("facts", json!({"last": ctx.node()})))
        }
    };
    let nodes = [("b", 1), ("c", 0), ("a", 5)];
    let graph = nodes
        .into_iter()
        .fold(graph(), |graph, (name, turns)| graph.node(name, slow(turns)).edge(START, name));
    let state = outcome(&graph.build().expect("it builds"), json!({})).await;
    assert_eq!(state["log"], json!(["a", "b", "c"]));
    assert_eq!(state["facts"], json!({"last": "c"}));
}

#[tokio::test]
async fn a_route_sees_its_own_nodes_writes_and_no_siblings() {
    let sees = |state: &State| -> Result<Vec<SendTo>, NodeError> {
        Ok(vec![SendTo::new("tell", json!({"saw": state.get::<Value>("log")?}))])
    };
    let tell = |_: Context, sent: State| async move {
        Ok(Update::none().set("plain", sent.get::<Value>("saw")?))
    };
    let graph = graph()
        .node("a", logs())
        .node("b", logs())
        .node("tell", tell)
        .edge(START, "a")
        .edge(START, "b")
        .conditional_edge("b", sees)
        .build()
        .expect("it builds");
    assert_eq!(outcome(&graph, json!({"log": ["in"]})).await["plain"], json!(["in", "b"]));
}

#[tokio::test]
async fn a_node_may_be_typed() {
    #[derive(Deserialize)]
    struct Order {
        plain: String,
        n: i64,
    }
    #[derive(Serialize)]
    struct Billed {
        n: i64,
        log: Vec<String>,
    }
    let bill = typed(|ctx: Context, order: Order| async move {
        let log = vec![format!("{} in {}", order.plain, ctx.run())];
        Update::of(&Billed { n: order.n, log })
    });
    let graph = graph().node("bill", bill).edge(START, "bill").build().expect("it builds");
    let state = outcome(&graph, json!({"plain": "tea", "n": 2})).await;
    assert_eq!((&state["n"], &state["log"]), (&json!(4), &json!(["tea in run"])));
    let error = failure(run(&graph, &NoSaver, "run", Input::New(json!({"n": 2}))).await);
    assert_eq!(error, "node bill failed: the state does not fit: missing field `plain`");
}

#[tokio::test]
async fn what_cannot_be_applied_is_refused_and_leaves_the_thread_as_it_was() {
    let pair = |a: Update, b: Update| {
        let nodes = graph().node("a", writes(a)).node("b", writes(b));
        nodes.edge(START, "a").edge(START, "b").build().expect("it builds")
    };
    let none = Update::none;
    let table = [
        (
            pair(none().set("plain", 1), none().set("plain", 1)),
            "a and b wrote to plain in one superstep, and plain takes one value",
        ),
        (pair(none(), none().set("typo", 1)), "b wrote to typo, which is not a state key"),
        (pair(none().set("n", "1"), none()), "a wrote to n: a sum key takes a number"),
        (
            pair(none().set("log", 1), none()),
            "a wrote to log: an append key takes a list of entries",
        ),
        (pair(none(), none().goto("typo")), "b leads to typo, which is not a node"),
    ];
    for (graph, expected) in table {
        let saver = MemorySaver::default();
        let input = Input::New(json!({"log": ["in"]}));
        assert_eq!(failure(run(&graph, &saver, "run", input).await), expected);
        assert_eq!(saver.kept().checkpoints.len(), 2, "only the input is kept: {expected}");
        // The thread is not poisoned: whoever goes on meets the same fault, not a worse one.
        assert_eq!(failure(run(&graph, &reborn(&saver), "run", Input::Continue).await), expected);
    }
}
