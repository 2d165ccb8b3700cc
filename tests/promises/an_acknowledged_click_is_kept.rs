//! I3 and I18: what was answered 200 is in the database, and a repetition changes nothing.

use crate::office::{INVOICE, Office, REFUND};
use crate::reckoning::count;

#[tokio::test]
async fn an_approval_survives_a_power_cut_right_after_its_answer() {
    let mut office = Office::opens().await;
    let (asked, card) = office.asks("mia", REFUND).await;
    office.presses("jonas", &card, "Approve").await;
    office.loses_power().await;
    assert_eq!(office.refunds().await, 1);
    assert!(office.thread("mia", &asked).contains("Approved by"));
    office.closes().await;
}

#[tokio::test]
async fn a_message_survives_a_power_cut_right_after_its_answer() {
    let mut office = Office::opens().await;
    let asked = office.person("mia").writes_to_bot(REFUND);
    assert_eq!(office.world.slack.deliver_due().await, 1);
    office.loses_power().await;
    assert!(office.thread("mia", &asked).contains("waits for"));
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_message_delivered_three_times_is_one_request() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    for _ in 0..2 {
        assert_eq!(office.world.slack.deliver_again().await, Some(200));
    }
    office.a_moment().await;
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM requests").await, 1);
    desk.close().await;
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_message_sent_while_the_desk_is_down_is_heard_when_slack_tries_again() {
    let mut office = Office::opens().await;
    office.world.crash_desk().await;
    let asked = office.person("mia").writes_to_bot(INVOICE);
    office.world.slack.deliver_due().await;
    office.world.open_desk().await.unwrap();
    office.passes(countersign::base::Span::minutes(2)).await;
    assert!(office.thread("mia", &asked).contains("waits for"));
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    office.closes().await;
}

/// The database cannot take it, so Slack must not be told that it was taken.
#[tokio::test]
async fn a_click_that_cannot_be_kept_is_not_acknowledged() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    let desk = office.database().await;
    let away = "ALTER TABLE votes RENAME TO votes_elsewhere";
    sqlx::raw_sql(away).execute(&desk).await.unwrap();
    let clicked = office.person("jonas").clicks(&card, "Approve").await;
    assert_eq!(clicked.status, 503);
    assert_eq!(count(&desk, "SELECT count(*) FROM requests WHERE outcome IS NULL").await, 1);
    let back = "ALTER TABLE votes_elsewhere RENAME TO votes";
    sqlx::raw_sql(back).execute(&desk).await.unwrap();
    desk.close().await;
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// Slack tells of a mention in a thread twice: as a message and as a mention, under two event ids.
#[tokio::test]
async fn a_mention_that_is_told_of_twice_is_one_request() {
    let office = Office::opens().await;
    let root = office.person("mia").mentions_bot_in("#support", "look up order 1042");
    office.a_moment().await;
    office.person("mia").replies_in_thread(&root, "<@U0BOT> pay invoice V-7719");
    office.a_moment().await;
    let desk = office.database().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM runs").await, 2, "one for each post");
    assert_eq!(count(&desk, "SELECT count(*) FROM requests").await, 1);
    desk.close().await;
    office.approves("jonas", &office.card("jonas", "#approvals")).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}
