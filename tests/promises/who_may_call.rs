//! The API works for callers that the configuration names, each for its own person, its own agents
//! and its own runs, and within its limits. A caller is no way around an approval.

use crate::caller::asking;
use crate::office::{INVOICE, Office};
use crate::reckoning::count;

/// Another caller, for Jonas, with little room.
const SECOND: (&str, &str) = (
    "      streams: 16",
    "      streams: 2\n      unfinished: 3\n    books:\n      key: ${DEMO_SECOND_API_KEY}\n      \
     acts_for: jonas@example.com\n      agents: [ops]",
);
const SECOND_KEY: &str = countersign::demo::SECOND_API_KEY;

#[tokio::test]
async fn without_the_right_key_nobody_is_heard() {
    let office = Office::opens().await;
    for key in ["", "nonsense", "the-demo-signs-with-this"] {
        let refused = asking(INVOICE).key(key).post(&office).await;
        assert_eq!(refused.status, 401, "{key}");
        assert_eq!(refused.json().await["error"]["code"], "unauthorized");
    }
    office.a_moment().await;
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM runs").await, 0);
    desk.close().await;
    office.closes().await;
}

#[tokio::test]
async fn whoever_guesses_keys_is_made_to_wait() {
    let office = Office::opens().await;
    for _ in 0..10 {
        assert_eq!(asking(INVOICE).key("a guess").post(&office).await.status, 401);
    }
    let throttled = asking(INVOICE).key("a guess").post(&office).await;
    assert_eq!(throttled.status, 429);
    assert!(throttled.header("retry-after").is_some());
    office.passes(countersign::base::Span::seconds(61)).await;
    assert_eq!(asking("look up order 1042").post(&office).await.status, 200);
    office.a_moment().await;
    office.closes().await;
}

#[tokio::test]
async fn a_caller_sees_its_own_runs_and_conversations_only() {
    let office = Office::opens_with(&[SECOND]).await;
    let mine = asking("look up order 1042").with("thread_id", "t-1").post(&office).await;
    let theirs = asking("look up order 1042").with("thread_id", "t-1").key(SECOND_KEY);
    let theirs = theirs.post(&office).await;
    assert_eq!((mine.status, theirs.status), (200, 200));
    office.a_moment().await;
    let peeped = asking("").follow(&office, &theirs.run(), None).await;
    assert_eq!(peeped.status, 404);
    assert_eq!(peeped.json().await["error"]["code"], "no_such_run");
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM threads WHERE name = 't-1'").await, 2);
    desk.close().await;
    office.closes().await;
}

/// Jonas may approve what others ask for, not what is asked on his own behalf.
#[tokio::test]
async fn whoever_a_caller_acts_for_cannot_approve_it() {
    let office = Office::opens_with(&[SECOND]).await;
    let mut stream = asking(INVOICE).key(SECOND_KEY).post(&office).await;
    office.a_moment().await;
    stream.until("approval_requested").await;
    let card = office.card("jonas", "#approvals");
    assert!(card.text.contains("Jonas"), "who asks is on the card: {}", card.text);
    let told = office.approves("jonas", &card).await;
    assert!(!told.is_empty(), "he is told why not");
    assert_eq!(office.invoices_paid().await, 0);
    office.approves("lena", &card).await;
    let decided = stream.until("approval_decided").await.pop().unwrap();
    assert_eq!(decided.data["by"], "Lena");
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn the_limits_of_a_caller_hold() {
    let office = Office::opens_with(&[SECOND]).await;
    let one = asking(INVOICE).post(&office).await;
    let two = asking(INVOICE).post(&office).await;
    assert_eq!((one.status, two.status), (200, 200));
    let third = asking(INVOICE).post(&office).await;
    assert_eq!(third.status, 429);
    assert_eq!(third.json().await["error"]["code"], "too_many_streams");
    drop((one, two));
    let mut open = office.world.app().unwrap().desk.listeners.count();
    open.wait_for(|&open| open == 0).await.unwrap();
    assert_eq!(asking(INVOICE).post(&office).await.status, 200, "its third run");
    open.wait_for(|&open| open == 0).await.unwrap();
    let fourth = asking(INVOICE).post(&office).await;
    assert_eq!(fourth.status, 429);
    assert_eq!(fourth.json().await["error"]["code"], "too_many_runs");
    office.passes(countersign::base::Span::minutes(70)).await;
    office.closes().await;
}

#[tokio::test]
async fn a_conversation_goes_on_under_its_name() {
    let office = Office::opens().await;
    for _ in 0..2 {
        let mut stream =
            asking("look up order 1042").with("thread_id", "order").post(&office).await;
        office.a_moment().await;
        assert_eq!(stream.header("countersign-thread"), Some("order"));
        assert_eq!(stream.rest().await.last().unwrap().kind(), "done");
    }
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM threads").await, 1);
    assert_eq!(count(&desk, "SELECT count(*) FROM runs").await, 2);
    desk.close().await;
    office.closes().await;
}

#[tokio::test]
async fn a_request_that_makes_no_sense_is_told_so() {
    let office = Office::opens().await;
    for (asked, status, code) in [
        (asking(" "), 422, "invalid_request"),
        (asking("hello").with("thread", "t"), 422, "invalid_request"),
        (asking("hello").with("stream_mode", "everything"), 422, "invalid_request"),
        (asking("hello").with("thread_id", "x".repeat(201)), 422, "invalid_request"),
        (asking("hello").with("agent", "nobody"), 403, "no_such_agent"),
    ] {
        let refused = asked.post(&office).await;
        assert_eq!(refused.status, status, "{code}");
        assert_eq!(refused.json().await["error"]["code"], code);
    }
    office.closes().await;
}
