//! I20: a clock that is set back revives nothing.

use std::time::Duration;

use countersign::base::Span;
use countersign::sandbox::Fault;

use crate::office::{INVOICE, Office};

#[tokio::test]
async fn a_clock_that_is_set_back_revives_no_request() {
    let mut office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(300)).await;
    assert!(office.thread("mia", &asked).contains("expired"));
    office.clock.turn_back(Span::minutes(299));
    for _ in 0..2 {
        let told = office.presses("jonas", &card, "Approve").await.join("\n");
        assert!(told.contains("expired"), "{told}");
        office.passes(Span::seconds(10)).await;
        assert_eq!(office.invoices_paid().await, 0);
        office.loses_power().await;
    }
    office.closes().await;
}

/// A post whose answer was lost is looked for when it can no longer be on its way. By a clock that was
/// set back that is a while to come, and nobody asks all the time meanwhile.
#[tokio::test]
async fn what_waits_while_the_clock_catches_up_waits_in_peace() {
    let office = Office::opens().await;
    office.world.slack.next_calls("chat.postMessage", vec![Fault::AnswerLost; 2]);
    let asked = office.writes("mia", INVOICE).await;
    // The desk has no time for it until it is due, and then the clock is set back.
    office.clock.turn_forward(Span::minutes(1));
    office.person("lena").writes_to_bot("look up order 1042");
    office.world.slack.deliver_due().await;
    office.clock.turn_back(Span::minutes(5));
    let catching_up = office.passes(Span::minutes(12));
    let rested = tokio::time::timeout(Duration::from_secs(60), catching_up).await;
    assert!(rested.is_ok(), "the desk never comes to rest");
    assert_eq!(office.thread("mia", &asked).matches("waits for").count(), 1);
    assert_eq!(office.person("jonas").sees("#approvals").len(), 1);
    office.approves("jonas", &office.card("jonas", "#approvals")).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// What is asked then is asked by the desk's own time, which stands still: by the clock on the wall it
/// would be overdue before anybody has seen it.
#[tokio::test]
async fn what_is_asked_while_the_clock_catches_up_has_its_time() {
    let office = Office::opens().await;
    office.writes("lena", "look up order 1042").await;
    office.clock.turn_back(Span::minutes(300));
    let (_, card) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(1)).await;
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}
