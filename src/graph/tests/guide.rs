//! The examples of `docs/GRAPHS.md`, word for word.

use super::*;

/// Drafts a refund, asks a person when it is large, and pays.
fn refund() -> Result<Graph, BuildError> {
    GraphBuilder::new("refund")
        .key("amount", Reducer::LastValue)
        .key("log", Reducer::Append)
        .node("draft", |_: Context, state: State| async move {
            let amount: u32 = state.get("amount")?;
            Ok(Update::none().set("log", json!([format!("drafted {amount}")])))
        })
        .node("ask", |ctx: Context, state: State| async move {
            let amount: u32 = state.get("amount")?;
            let question = Ask::new(json!({"refund": amount})).schema(json!({"type": "boolean"}));
            let yes = ctx.ask(question)? == json!(true);
            Ok(Update::none().goto(if yes { "pay" } else { END }))
        })
        .node("pay", |ctx: Context, _: State| async move {
            // Done once, whatever happens to the process afterwards.
            let receipt: String = ctx.step("pay", || async { Ok("paid".to_owned()) }).await?;
            Ok(Update::none().set("log", json!([receipt])))
        })
        .edge(START, "draft")
        .conditional_edge_to(
            "draft",
            |state: &State| state.get::<u32>("amount").map(|n| if n > 50 { "ask" } else { "pay" }),
            ["ask", "pay"],
        )
        .build()
}

/// Runs it until it asks, answers by the question's id, and runs it to its end.
async fn approve(graph: &Graph) -> Result<Value, RunError> {
    let saver = MemorySaver::default();
    let go = |input| {
        let (saver, events) = (Arc::new(saver.clone()), Arc::new(NoEvents));
        graph.run(input, saver, events, RunOptions::of_run("run_1"))
    };
    let end = go(Input::New(json!({"amount": 80}))).await?;
    let RunEnd::Interrupted { interrupts, .. } = end else {
        return Ok(graph.output(end.state()));
    };
    let answer = (interrupts[0].id.clone(), json!(true));
    let end = go(Input::Resume([answer].into())).await?;
    Ok(graph.output(end.state()))
}

#[tokio::test]
async fn the_guides_graph_asks_for_large_refunds_and_pays_what_is_approved() {
    let graph = refund().expect("it builds");
    let end = approve(&graph).await.expect("it ends");
    assert_eq!(end, json!({"amount": 80, "log": ["drafted 80", "paid"]}));
    let small = outcome(&graph, json!({"amount": 20})).await;
    assert_eq!(small["log"], json!(["drafted 20", "paid"]));
}

#[test]
fn the_guide_shows_what_is_compiled_here() {
    let guide = include_str!("../../../docs/GRAPHS.md");
    let compiled = include_str!("guide.rs");
    let blocks: Vec<_> = guide.split("```rust\n").skip(1).collect();
    assert!(!blocks.is_empty());
    for block in blocks {
        let example = block.split("```").next().unwrap_or_default();
        assert!(compiled.contains(example), "this is not compiled: {example}");
    }
}
