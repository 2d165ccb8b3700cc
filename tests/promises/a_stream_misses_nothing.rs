//! Whoever follows a run over HTTP and is cut off comes back to where it was: it misses nothing, gets
//! nothing twice, and hurts nobody by being slow or by leaving.

use countersign::base::Span;

use crate::caller::{Asking, End, Frame, asking, in_order, kinds};
use crate::office::{INVOICE, Office};
use crate::reckoning::count;

/// Everything a run has told, read afresh.
async fn whole(office: &Office, run: &str) -> Vec<Frame> {
    let mut stream = asking("").follow(office, run, None).await;
    let frames = stream.rest().await;
    assert_eq!(stream.end, Some(End::Whole));
    in_order(&frames, 1);
    frames
}

#[tokio::test]
async fn a_client_that_is_cut_off_comes_back_and_misses_nothing() {
    let mut office = Office::opens().await;
    let mut stream = asking(INVOICE).post(&office).await;
    let run = stream.run();
    office.a_moment().await;
    let seen = stream.until("approval_requested").await;
    in_order(&seen, 1);
    drop(stream);

    // The line is down and the power fails; people go on.
    office.loses_power().await;
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1, "a client that leaves stops nothing");

    let last = seen.last().unwrap().id;
    let mut stream = asking("").follow(&office, &run, Some(last)).await;
    let rest = stream.rest().await;
    assert_eq!(stream.end, Some(End::Whole));
    in_order(&rest, last + 1);
    assert_eq!(rest.last().unwrap().text, r#"{"type":"done"}"#);
    assert_eq!([seen, rest].concat(), whole(&office, &run).await);
    office.closes().await;
}

#[tokio::test]
async fn every_event_is_a_place_to_come_back_to() {
    let office = Office::opens().await;
    let run = asking("look up order 1042").post(&office).await.run();
    office.a_moment().await;
    let all = whole(&office, &run).await;
    assert!(all.len() > 10, "{:?}", kinds(&all));
    for after in 0..all.len() {
        let mut stream = asking("").follow(&office, &run, Some(after as u64)).await;
        assert_eq!(stream.rest().await, all[after..], "after {after}");
    }
    let nothing_left = asking("").follow(&office, &run, Some(all.len() as u64)).await;
    assert_eq!(nothing_left.status, 204, "a browser stops coming back");
    office.closes().await;
}

#[tokio::test]
async fn events_are_told_live_to_everybody_who_listens() {
    let office = Office::opens().await;
    let mut one = asking(INVOICE).post(&office).await;
    let run = one.run();
    let mut other = asking("").follow(&office, &run, None).await;
    office.a_moment().await;
    let (of_one, of_other) =
        (one.until("approval_requested").await, other.until("approval_requested").await);
    assert_eq!(of_one, of_other);
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert_eq!(one.rest().await, other.rest().await);
    assert_eq!((one.end, other.end), (Some(End::Whole), Some(End::Whole)));
    office.closes().await;
}

/// More than any socket holds: a model that does not stop talking.
async fn talkative_office() -> Office {
    let mut office =
        Office::opens_with(&[("default: deny", "default: deny\nstreams: { patience: 300ms }")])
            .await;
    let words: String = (0..40_000).map(|nth| format!("word-{nth:-<100} ")).collect();
    let script = format!("rules: []\notherwise: '{words}'\n");
    office.follows_script(&script).await;
    office
}

#[tokio::test]
async fn a_slow_reader_is_dropped_without_hurting_others_and_may_come_back() {
    let office = talkative_office().await;
    let mut slow = asking("talk").slowly().post(&office).await;
    let run = slow.run();
    let mut quick = asking("").follow(&office, &run, None).await;
    office.a_moment().await;
    let all = quick.rest().await;
    assert_eq!(quick.end, Some(End::Whole));
    in_order(&all, 1);
    assert!(all.len() > 40_000);

    let mut open = office.world.app().unwrap().desk.listeners.count();
    open.wait_for(|&open| open == 0).await.unwrap();
    let seen = slow.rest().await;
    assert_eq!(slow.end, Some(End::CutOff), "it must not take this for the end");
    assert!(seen.len() < all.len());
    let last = seen.last().map_or(0, |frame| frame.id);
    let rest = asking("").follow(&office, &run, Some(last)).await.rest().await;
    assert!([seen, rest].concat() == all, "something is missing or doubled");
    office.closes().await;
}

#[tokio::test]
async fn a_silent_stream_shows_that_it_is_alive() {
    let streams = ("default: deny", "default: deny\nstreams: { heartbeat: 20ms }");
    let office = Office::opens_with(&[streams]).await;
    let mut stream = asking(INVOICE).post(&office).await;
    office.a_moment().await;
    stream.until("approval_requested").await;
    stream.heartbeat().await;
    let card = office.card("jonas", "#approvals");
    office.rejects("jonas", &card).await;
    assert_eq!(stream.rest().await.last().unwrap().kind(), "done");
    office.closes().await;
}

#[tokio::test]
async fn asking_again_under_the_same_key_is_one_run() {
    let office = Office::opens().await;
    let once = asking("look up order 1042").header("Idempotency-Key", "order-1042-a");
    let first = once.post(&office).await;
    office.a_moment().await;
    let mut again = once.post(&office).await;
    assert_eq!(first.run(), again.run());
    in_order(&again.rest().await, 1);
    let other = asking("look up order 1043").header("Idempotency-Key", "order-1042-a");
    let other = other.post(&office).await;
    assert_eq!(other.status, 409);
    assert_eq!(other.json().await["error"]["code"], "idempotency_conflict");
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM executions").await, 1, "it was looked up once");
    desk.close().await;
    office.closes().await;
}

#[tokio::test]
async fn what_is_too_old_is_said_to_be_gone() {
    let keep = ("default: deny", "default: deny\nstreams: { keep: 1h }");
    let office = Office::opens_with(&[keep]).await;
    let (ended, waits) = (asking("look up order 1042"), asking(INVOICE));
    let ended = ended.post(&office).await.run();
    let waits = waits.post(&office).await.run();
    office.a_moment().await;
    office.passes(Span::minutes(59)).await;
    assert_eq!(asking("").follow(&office, &ended, None).await.status, 200);
    office.passes(Span::minutes(20)).await;
    let gone = asking("").follow(&office, &ended, Some(1)).await;
    assert_eq!(gone.status, 410);
    assert_eq!(gone.json().await["error"]["code"], "events_expired");
    let frames = asking("").follow(&office, &waits, None).await.rest().await;
    in_order(&frames, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_number_that_is_none_is_refused() {
    let office = Office::opens().await;
    let run = asking("look up order 1042").post(&office).await.run();
    office.a_moment().await;
    let asked: Asking = asking("").header("Last-Event-ID", "yesterday");
    let refused = asked.follow(&office, &run, None).await;
    assert_eq!(refused.status, 422);
    office.closes().await;
}
