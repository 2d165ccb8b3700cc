//! A show passes from hand to hand, whatever becomes of the hands.

use std::sync::Arc;

use super::*;
use crate::base::{RandomIds, TurnableClock};
use crate::store::{Definitions, NewMessage};
use crate::stream::RunEvent;

const START: Timestamp = Timestamp::from_millis(1_795_527_000_000);
const LEASE: Span = Span::seconds(30);

#[tokio::test]
async fn whoever_dies_while_it_is_held_is_followed_by_somebody() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("desk.db").display());
    let clock = Arc::new(TurnableClock::standing_at(START));
    let store = Store::open(&url, clock.clone(), Arc::new(RandomIds)).await.expect("a store");
    let user = SlackUser { team: "T1".to_owned(), user: "U1".to_owned(), enterprise: None };
    let message = NewMessage {
        workspace: WorkspaceId::existing("T1"),
        event_key: "event".to_owned(),
        message_key: "message".to_owned(),
        body_hash: String::new(),
        agent: "ops".to_owned(),
        graph_hash: String::new(),
        channel: "D1".to_owned(),
        thread_ts: "1.1".to_owned(),
        user,
        text: "hello".to_owned(),
        ts: "1.1".to_owned(),
        told_to_wait: String::new(),
    };
    store.take_message(message).await.expect("it is taken");
    let known = Definitions::of([("ops".to_owned(), String::new())]);
    let run = store.claim_runs("desk-1", LEASE, 1, &known).await.expect("claimed").remove(0);
    let told = vec![RunEvent::NodeStart { node: "agent".to_owned() }];
    store.tell(&run.id, run.epoch, told).await.expect("told");

    let mut first =
        store.claim_shows(Shows::All, "desk-1", LEASE, 1).await.expect("claimed").remove(0);
    first.seen = 1;
    store.leave_show(&first, Left::Held).await.expect("held");
    assert_eq!(store.claim_shows(Shows::All, "desk-2", LEASE, 1).await.expect("claimed").len(), 0);
    clock.turn_forward(LEASE);
    let second =
        store.claim_shows(Shows::All, "desk-2", LEASE, 1).await.expect("claimed").remove(0);
    assert_eq!((second.run.clone(), second.seen), (run.id, 1));
    let late = store.leave_show(&first, Left::Over).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "the first has nothing to say any more");

    // Now the row is spoilt; it keeps nobody who comes after it.
    let spoilt = store.write(move |tx| {
        Box::pin(async move {
            let spoil = "UPDATE shows SET body = '{' WHERE run_id = $1";
            sqlx::query(spoil).bind(second.run.as_str()).execute(&mut tx.conn).await?;
            Ok(())
        })
    });
    spoilt.await.expect("spoilt");
    clock.turn_forward(LEASE);
    for _ in 0..2 {
        assert!(
            store.claim_shows(Shows::All, "desk-1", LEASE, 1).await.expect("goes on").is_empty()
        );
    }
    let mut reader = store.reader().await.expect("a reader");
    let state: String =
        sqlx::query_scalar("SELECT state FROM shows").fetch_one(&mut reader).await.expect("a row");
    assert_eq!(state, "over", "what its run says at its end is not held back by it");
    drop(reader);
    store.close().await;
}
