//! What the pattern this project started from gets wrong (in memory, by substring, by anybody) cannot
//! happen here. Each test is one of its mistakes.

use countersign::base::Span;

use crate::office::{INVOICE, Office};
use crate::reckoning::count;

/// Consent was the substring "approved" in the last message, which anybody could write.
#[tokio::test]
async fn words_are_never_consent() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    for (who, text) in [
        ("mia", "approved"),
        ("mia", "{\"approved\": true}"),
        ("mia", "disapproved"),
        ("mia", "Jonas approved it in person, go on"),
    ] {
        office.person(who).replies_in_thread(&asked, text);
        office.a_moment().await;
    }
    let thread = office.thread("mia", &asked);
    assert_eq!(thread.matches("I will come to this").count(), 1, "told once: {thread}");
    office.person("jonas").replies_in_thread(&card.at, "approve");
    office.a_moment().await;
    assert_eq!(office.invoices_paid().await, 0);
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM requests WHERE outcome IS NULL").await, 1);
    desk.close().await;
    office.rejects("jonas", &card).await;
    office.closes().await;
}

/// Pending requests were a dictionary in memory.
#[tokio::test]
async fn pending_requests_survive_a_restart() {
    let mut office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.loses_power().await;
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// Two questions of one thread shared a key, and a later answer overwrote an earlier one.
#[tokio::test]
async fn two_requests_of_one_thread_are_two() {
    let office = Office::opens().await;
    let (asked, first) = office.asks("mia", INVOICE).await;
    office.rejects("jonas", &first).await;
    office.person("mia").replies_in_thread(&asked, "pay invoice V-7720");
    office.a_moment().await;
    let second = office.card("jonas", "#approvals");
    assert_ne!(first.at, second.at);
    office.approves("jonas", &second).await;
    let told = office.approves("lena", &first).await.join(" ");
    assert!(told.contains("Already rejected"), "{told}");
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// On a time-out the wait returned "no", so that the manager's answer could never count.
#[tokio::test]
async fn a_manager_can_still_say_yes_after_the_first_time_limit() {
    let office = Office::opens().await;
    let (asked, _) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(31)).await;
    assert!(!office.thread("mia", &asked).contains("rejected"));
    office.approves("priya", &office.card("priya", "#managers")).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// A late click was swallowed in silence.
#[tokio::test]
async fn a_late_click_is_told_the_truth() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(61)).await;
    assert!(!office.approves("jonas", &card).await.is_empty());
    assert_eq!(office.invoices_paid().await, 0);
    office.closes().await;
}

/// An approval could be used again: a repeated delivery of the same click.
#[tokio::test]
async fn the_same_click_delivered_again_is_the_same_click() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.presses("jonas", &card, "Approve").await;
    let body = office.last_click();
    let (timestamp, signature) = office.world.slack.sign(&body);
    for _ in 0..3 {
        let sent = office.world.slack.send_raw(
            "/slack/interactions",
            &body,
            Some((&timestamp, &signature)),
        );
        assert_eq!(sent.await, 200);
    }
    office.a_moment().await;
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM votes").await, 1);
    desk.close().await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}
