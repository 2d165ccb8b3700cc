//! The pattern this project started from, row by row: its mode table and its key rules, over a real
//! socket.

use countersign::base::Span;
use serde_json::json;

use crate::caller::{End, Frame, asking, kinds};
use crate::office::{INVOICE, Office};

const LOOK_UP: &str = "look up order 1042";

async fn streamed(mode: Option<&str>) -> Vec<Frame> {
    let office = Office::opens().await;
    let asked = match mode {
        Some(mode) => asking(LOOK_UP).with("stream_mode", mode),
        None => asking(LOOK_UP),
    };
    let mut stream = asked.post(&office).await;
    office.a_moment().await;
    let frames = stream.rest().await;
    assert_eq!(stream.end, Some(End::Whole));
    office.closes().await;
    frames
}

/// Chat UIs: token-by-token streaming.
#[tokio::test]
async fn mode_messages_gives_tokens_one_by_one() {
    let frames = streamed(Some("messages")).await;
    let chunks: Vec<_> = frames.iter().filter(|frame| frame.kind() == "messages").collect();
    assert!(chunks.len() > 3, "{:?}", kinds(&frames));
    let text: String =
        chunks.iter().map(|chunk| chunk.data["data"][0]["content"].as_str().unwrap()).collect();
    assert!(text.contains("Order 1042 of Acme Bakery"), "{text}");
    for chunk in chunks {
        assert_eq!(chunk.data["data"][1]["langgraph_node"], "agent");
    }
    assert_eq!(frames.last().unwrap().kind(), "done");
}

/// Progress bars: node completion updates.
#[tokio::test]
async fn mode_updates_tells_each_node_as_it_completes() {
    let frames = streamed(Some("updates")).await;
    let nodes: Vec<String> = frames
        .iter()
        .filter(|frame| frame.kind() == "updates")
        .flat_map(|frame| frame.data["data"].as_object().unwrap().keys().cloned())
        .collect();
    assert_eq!(nodes, ["agent", "__interrupt__", "approval", "tools", "agent"]);
}

/// Debugging: full state after each step.
#[tokio::test]
async fn mode_values_gives_the_whole_state_after_each_step() {
    let frames = streamed(Some("values")).await;
    let lengths: Vec<usize> = frames
        .iter()
        .filter(|frame| frame.kind() == "values")
        .map(|frame| frame.data["data"]["messages"].as_array().unwrap().len())
        .collect();
    assert!(lengths.is_sorted() && lengths.first() <= Some(&2), "{lengths:?}");
    assert_eq!(lengths.last(), Some(&4), "question, call, result, answer: {lengths:?}");
}

/// Rich UIs: all events, in the pattern's own frames.
#[tokio::test]
async fn mode_events_tells_tokens_tools_and_nodes() {
    let frames = streamed(None).await;
    let told = kinds(&frames);
    for kind in
        ["node_start", "llm_start", "llm_end", "node_end", "tool_start", "tool_end", "token"]
    {
        assert!(told.contains(&kind), "no {kind}: {told:?}");
    }
    let find = |kind: &str| frames.iter().find(|frame| frame.kind() == kind).unwrap();
    assert_eq!(find("node_start").text, r#"{"type":"node_start","node":"agent"}"#);
    assert_eq!(find("llm_start").text, r#"{"type":"llm_start","model":"script"}"#);
    assert_eq!(find("llm_end").text, r#"{"type":"llm_end"}"#);
    assert_eq!(find("token").text, r#"{"type":"token","content":"Order "}"#);
    assert_eq!(
        find("tool_start").data,
        json!({
            "type": "tool_start", "tool": "orders.lookup", "input": { "order": "1042" },
        })
    );
    let end = find("tool_end");
    assert_eq!(end.data["tool"], "orders.lookup");
    assert!(end.data["output"].as_str().unwrap().chars().count() <= 200);
    assert_eq!(frames.last().unwrap().text, r#"{"type":"done"}"#);
    assert_eq!(told, kinds(&streamed(Some("events")).await), "the name for it says the same");
}

/// SSE format: always `data: {json}\n\n`.
#[tokio::test]
async fn rule_sse_format() {
    // The client of these tests refuses any other frame, and JSON that does not parse.
    let office = Office::opens().await;
    let mut stream = asking("look up order 1042").post(&office).await;
    assert_eq!(stream.status, 200);
    assert_eq!(stream.header("content-type"), Some("text/event-stream"));
    office.a_moment().await;
    for frame in stream.rest().await {
        assert!(frame.text.starts_with(r#"{"type":""#), "{}", frame.text);
    }
    office.closes().await;
}

/// Error events: errors are streamed as events, the connection is not broken, and nothing of our
/// insides is told.
#[tokio::test]
async fn rule_error_events() {
    let mut office = Office::opens().await;
    office
        .follows_script(
            "rules:\n  - when: { says: break }\n    say: 'secret {{ nothing.there }}'\n",
        )
        .await;
    let mut stream = asking("break").post(&office).await;
    office.a_moment().await;
    office.passes(Span::minutes(2)).await;
    let frames = stream.rest().await;
    assert_eq!(stream.end, Some(End::Whole));
    let text = r#"{"type":"error","code":"run_failed","message":"The run failed. The operator can read why in the log."}"#;
    assert_eq!(frames.last().unwrap().text, text);
    assert!(!frames.iter().any(|frame| frame.text.contains("secret")), "{frames:?}");
    office.closes().await;
}

/// HITL: interrupt before the dangerous node, never after.
#[tokio::test]
async fn rule_interrupt_before_never_after() {
    let office = Office::opens().await;
    let mut stream = asking(INVOICE).post(&office).await;
    office.a_moment().await;
    let before = stream.until("approval_requested").await;
    assert!(!kinds(&before).contains(&"tool_start"), "{:?}", kinds(&before));
    assert_eq!(before.last().unwrap().data["input"]["invoice"], "V-7719");
    assert_eq!(office.world.company.journal().await.unwrap(), [], "nothing ran");
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    let after = stream.rest().await;
    let order: Vec<_> = kinds(&after)
        .into_iter()
        .filter(|kind| ["approval_decided", "tool_start", "tool_end", "done"].contains(kind))
        .collect();
    assert_eq!(order, ["approval_decided", "tool_start", "tool_end", "done"]);
    office.closes().await;
}

/// Checkpointing: the state persists while people think.
#[tokio::test]
async fn rule_checkpointing_is_required() {
    let mut office = Office::opens().await;
    let run = asking(INVOICE).post(&office).await.run();
    office.a_moment().await;
    office.loses_power().await;
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    let frames = asking("").follow(&office, &run, None).await.rest().await;
    let asked = kinds(&frames).into_iter().filter(|kind| *kind == "llm_start").count();
    assert_eq!(asked, 2, "once for the proposal, once for the answer");
    assert_eq!(frames.last().unwrap().kind(), "done");
    office.closes().await;
}

/// Timeouts: always set, never block for ever.
#[tokio::test]
async fn rule_timeouts_are_always_set() {
    let office = Office::opens().await;
    let mut stream = asking(INVOICE).post(&office).await;
    office.a_moment().await;
    let asked = stream.until("approval_requested").await.pop().unwrap();
    assert!(asked.data["decide_by"].as_str().unwrap().starts_with("2026-"), "{}", asked.text);
    office.passes(Span::minutes(61)).await;
    let decided = stream.until("approval_decided").await.pop().unwrap();
    assert_eq!(decided.data["outcome"], "expired");
    assert_eq!(stream.rest().await.last().unwrap().kind(), "done");
    assert_eq!(office.world.company.journal().await.unwrap(), [], "nothing ran");
    office.closes().await;
}

/// Buffering: proxies are told to hold nothing back.
#[tokio::test]
async fn rule_buffering_is_disabled() {
    let office = Office::opens().await;
    let stream = asking("look up order 1042").post(&office).await;
    assert_eq!(stream.header("cache-control"), Some("no-cache"));
    assert_eq!(stream.header("x-accel-buffering"), Some("no"));
    office.a_moment().await;
    office.closes().await;
}
