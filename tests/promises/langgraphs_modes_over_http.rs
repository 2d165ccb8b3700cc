//! Whoever knows LangGraph's stream modes and its event log gets them from the same endpoint.

use crate::caller::{Asking, End, Frame, asking, in_order, kinds};
use crate::office::{INVOICE, Office};

const LOOK_UP: &str = "look up order 1042";

async fn streamed(asked: Asking) -> Vec<Frame> {
    let office = Office::opens().await;
    let mut stream = asked.post(&office).await;
    office.a_moment().await;
    let frames = stream.rest().await;
    assert_eq!(stream.end, Some(End::Whole));
    office.closes().await;
    frames
}

#[tokio::test]
async fn several_modes_come_mixed_each_chunk_with_its_name() {
    let modes = ["values", "updates", "messages", "tasks", "checkpoints", "debug", "custom"];
    let frames = streamed(asking(LOOK_UP).with("stream_mode", modes.to_vec())).await;
    let told = kinds(&frames);
    for mode in &modes[..6] {
        assert!(told.contains(mode), "no {mode}: {told:?}");
    }
    assert!(!told.contains(&"token") && !told.contains(&"custom"), "{told:?}");
    let values = frames.iter().rfind(|frame| frame.kind() == "values").unwrap();
    let types: Vec<&str> = values.data["data"]["messages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|message| message["type"].as_str().unwrap())
        .collect();
    assert_eq!(types, ["human", "ai", "tool", "ai"], "in LangChain's form");
    let ids: Vec<u64> = frames.iter().map(|frame| frame.id).collect();
    assert!(ids.is_sorted_by(|one, next| one < next), "{ids:?}");
}

#[tokio::test]
async fn version_v2_is_the_event_log_of_astream_events() {
    let frames = streamed(asking(LOOK_UP).with("version", "v2")).await;
    let events: Vec<(&str, &str)> = frames
        .iter()
        .filter_map(|frame| Some((frame.data["event"].as_str()?, frame.data["name"].as_str()?)))
        .collect();
    assert_eq!(events[0].0, "on_chain_start");
    for event in
        ["on_chat_model_start", "on_chat_model_stream", "on_chat_model_end", "on_chain_end"]
    {
        assert!(events.iter().any(|(kind, _)| *kind == event), "no {event}: {events:?}");
    }
    let text: String = frames
        .iter()
        .filter(|frame| frame.data["event"] == "on_chat_model_stream")
        .map(|frame| frame.data["data"]["chunk"]["content"].as_str().unwrap())
        .collect();
    assert!(text.contains("Order 1042 of Acme Bakery"), "{text}");
    assert_eq!(frames.last().unwrap().kind(), "done");
}

#[tokio::test]
async fn a_question_shows_in_every_mode_and_the_stream_goes_on_after_it() {
    for mode in ["values", "updates"] {
        let office = Office::opens().await;
        let mut stream = asking(INVOICE).with("stream_mode", mode).post(&office).await;
        let run = stream.run();
        office.a_moment().await;
        let before = stream.until("approval_requested").await;
        assert!(before.len() > 1, "{mode}: {:?}", kinds(&before));
        let card = office.card("jonas", "#approvals");
        office.approves("jonas", &card).await;
        let after = stream.rest().await;
        assert_eq!(after.last().unwrap().kind(), "done");
        let again = asking("").follow(&office, &run, Some(before.last().unwrap().id)).await;
        let again = { again }.rest().await;
        assert_eq!(again, after, "{mode}: whoever comes back gets the same modes");
        office.closes().await;
    }
}

#[tokio::test]
async fn the_plain_events_have_no_gaps() {
    in_order(&streamed(asking(LOOK_UP)).await, 1);
}
