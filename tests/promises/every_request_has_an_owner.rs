//! I4 and I14: a request is always before somebody, and its clock always runs.

use countersign::base::Span;

use crate::log::Log;
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

/// What the store, the command list and Mia's Home tab say of the one request that waits.
async fn what_is_said_of_it(office: &Office) -> [Option<String>; 3] {
    let desk = &office.world.app().unwrap().desk;
    let waiting = desk.store.pending_requests(&desk.workspace, None, 2).await.unwrap().requests;
    let [stored] = &waiting[..] else { panic!("one request waits: {waiting:#?}") };
    let unseen = desk.store.unseen(&desk.workspace, &stored.request.id).await.unwrap();
    let counted = desk.store.all_unseen(&desk.workspace).await.unwrap();
    assert_eq!(counted, unseen.clone().map(|unseen| (1, unseen)));
    let mia = office.person("mia");
    let listed = mia.runs("/countersign", "list").await;
    mia.opens_home();
    office.a_moment().await;
    let home = mia.home();
    let said = |text: String| text.contains("do not see it yet").then_some(text);
    [unseen.and_then(|unseen| unseen.why), said(listed), said(home)]
}

/// Slack refuses the approvers' channel for five minutes: nobody is left to believe that they see it.
#[tokio::test]
async fn what_slack_does_not_let_its_approvers_see_is_flagged_until_they_do() {
    for (code, kind) in [("token_revoked", "is gone"), ("missing_scope", "is not set up")] {
        let (log, _listening) = Log::listens();
        let lines = |words: &str| log.text().matches(words).count();
        let office = Office::opens().await;
        let refuses = |code| {
            office.world.slack.change_cast(|cast| {
                cast.channel_mut("#approvals").unwrap().refuses = code;
            });
        };
        refuses(Some(code));
        let asked = office.writes("mia", INVOICE).await;
        assert_eq!(what_is_said_of_it(&office).await, [None, None, None], "it may come yet");

        office.passes(Span::seconds(40)).await;
        for said in what_is_said_of_it(&office).await {
            let said = said.unwrap_or_else(|| panic!("{code}: a minute has passed"));
            assert!(said.contains(code) && said.contains(kind), "it says why: {said}");
        }
        let thread = office.thread("mia", &asked);
        assert!(thread.contains("They do not see it yet") && thread.contains(code), "{thread}");
        assert!(office.person("jonas").sees("#approvals").is_empty());
        assert_eq!(lines("its approvers cannot see a request"), 1, "{}", log.text());

        office.passes(Span::minutes(4)).await;
        assert_eq!(lines("its approvers cannot see a request"), 1, "not at each try");
        assert_eq!(lines("see a request at last"), 0);
        refuses(None);
        office.passes(Span::minutes(5)).await;
        let card = office.card("jonas", "#approvals");
        assert_eq!(what_is_said_of_it(&office).await, [None, None, None], "they see it");
        assert_eq!(lines("see a request at last"), 1);
        let thread = office.thread("mia", &asked);
        assert!(!thread.contains("They do not see it yet"), "{thread}");
        office.approves("jonas", &card).await;
        assert_eq!(office.invoices_paid().await, 1);
        office.closes().await;
    }
}
