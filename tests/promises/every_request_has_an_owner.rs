//! I4 and I14: a request is always before somebody, and its clock always runs.

use countersign::base::Span;

use crate::office::{INVOICE, Office};
use crate::reckoning::count;

#[tokio::test]
async fn nobody_answers_so_it_is_reminded_escalated_and_expires() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    assert_eq!(office.person("jonas").sees_in_thread(&card.at).len(), 0);
    office.passes(Span::minutes(10)).await;
    assert_eq!(office.person("jonas").sees_in_thread(&card.at).len(), 1, "reminded once");
    office.passes(Span::minutes(15)).await;
    assert_eq!(office.person("jonas").sees_in_thread(&card.at).len(), 2, "and once more");
    assert!(office.person("priya").newest_card("#managers").is_none());

    office.passes(Span::minutes(5)).await;
    let escalated = office.card("priya", "#managers");
    assert!(escalated.text.contains("nobody"), "it says why: {}", escalated.text);
    assert!(office.thread("mia", &asked).contains("managers"), "the requester knows who has it");

    office.passes(Span::minutes(31)).await;
    assert!(office.thread("mia", &asked).contains("Expired"));
    office.closes().await;
}

#[tokio::test]
async fn the_first_approver_may_still_decide_after_the_escalation() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(31)).await;
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_manager_approves_what_nobody_else_answered() {
    let office = Office::opens().await;
    office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(31)).await;
    let card = office.card("priya", "#managers");
    office.approves("priya", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// The desk is down for an hour and a half: everything that became due fires when it is back.
#[tokio::test]
async fn forty_overdue_requests_expire_after_a_long_night() {
    let mut office = Office::opens().await;
    for nth in 0..40 {
        let who = ["mia", "sam", "noor", "lena"][nth % 4];
        office.person(who).writes_to_bot(&format!("pay invoice V-{}", 8000 + nth));
    }
    office.passes(Span::minutes(2)).await;
    office.world.crash_desk().await;
    office.clock.turn_forward(Span::minutes(90));
    office.world.open_desk().await.unwrap();
    office.passes(Span::seconds(10)).await;
    let desk = office.database().await;
    let expired = "SELECT count(*) FROM requests WHERE outcome = 'expired'";
    assert_eq!(count(&desk, expired).await, 40, "within ten seconds of the start");
    desk.close().await;
    office.passes(Span::minutes(5)).await;
    office.closes().await;
}

#[tokio::test]
async fn an_archived_channel_is_said_aloud_and_the_next_stage_is_asked_at_once() {
    let office = Office::opens().await;
    office.world.slack.change_cast(|cast| {
        cast.channel_mut("#approvals").unwrap().archived = true;
    });
    let asked = office.writes("mia", INVOICE).await;
    office.passes(Span::minutes(1)).await;
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("could not show"), "the requester is told: {thread}");
    let card = office.card("priya", "#managers");
    office.approves("priya", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_bot_thrown_out_of_both_channels_says_that_nobody_is_left_to_ask() {
    let office = Office::opens().await;
    office.world.slack.change_cast(|cast| {
        for channel in ["#approvals", "#managers"] {
            cast.channel_mut(channel).unwrap().members.remove("U0BOT");
        }
    });
    let asked = office.writes("mia", INVOICE).await;
    office.passes(Span::minutes(1)).await;
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("Nobody else is left to ask"), "{thread}");
    office.passes(Span::minutes(61)).await;
    assert!(office.thread("mia", &asked).contains("expired"));
    office.closes().await;
}
