//! I12 and I8: any number of stale, doubled or copied cards give one outcome, and nothing can be
//! approved that was not shown.

use countersign::base::Span;
use countersign::store::StartCheck;

use crate::office::{INVOICE, Office, REFUND};

#[tokio::test]
async fn a_card_that_somebody_deleted_is_posted_again_and_works() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.world.slack.lose_message(&card.at.channel, &card.at.ts);
    office.passes(Span::minutes(31)).await;
    let again = office.card("jonas", "#approvals");
    assert_ne!(again.at, card.at, "posted anew when it next had to change");
    office.approves("jonas", &again).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn a_button_on_a_copy_of_its_card_does_nothing() {
    let office = Office::opens().await;
    let (_, first) = office.asks("mia", INVOICE).await;
    let (_, mut second) = office.asks("mia", "pay invoice V-7720").await;
    second.at = first.at.clone();
    let told = office.presses("jonas", &second, "Approve").await.join(" ");
    assert!(told.contains("does not belong to a request I know"), "{told}");
    office.a_moment().await;
    assert_eq!(office.invoices_paid().await, 0);
    office.approves("jonas", &first).await;
    let second = office.card("jonas", "#approvals");
    office.rejects("jonas", &second).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn the_card_of_the_first_stage_still_decides_after_the_escalation_and_only_once() {
    let office = Office::opens().await;
    let (_, first) = office.asks("mia", INVOICE).await;
    office.passes(Span::minutes(31)).await;
    let second = office.card("priya", "#managers");
    office.approves("priya", &second).await;
    let told = office.approves("jonas", &first).await.join(" ");
    assert!(told.contains("Already approved by") && told.contains("Priya"), "{told}");
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

#[tokio::test]
async fn when_it_is_over_every_card_says_so_and_has_no_buttons() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.passes(Span::minutes(31)).await;
    office.approves("priya", &office.card("priya", "#managers")).await;
    for (channel, who) in [("#approvals", "jonas"), ("#managers", "priya")] {
        let shown = office.person(who).sees(channel);
        let ended = shown.iter().find(|message| message.text.contains("Approved and done"));
        let ended = ended.unwrap_or_else(|| panic!("{channel} does not tell: {shown:#?}"));
        assert_eq!(ended.buttons, Vec::<String>::new());
    }
    let told = office.approves("jonas", &card).await.join(" ");
    assert!(told.contains("Already approved"), "{told}");
    office.closes().await;
}

/// Slack counts every update, so none is spent on a call that may be over when it arrives.
#[tokio::test]
async fn a_call_is_shown_as_running_once_its_worker_has_given_a_sign_of_life() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.presses("jonas", &card, "Approve").await;
    let (store, lease) = (&office.world.app().unwrap().desk.store, Span::seconds(30));
    let remembered = |_: &_| Span::minutes(60);
    let call = store.claim_executions("a worker", lease, 1, remembered).await.unwrap().remove(0);
    let tells = || office.person("jonas").sees("#approvals").remove(0).text;

    office.a_moment().await;
    let fine = |_: &_, _: Option<&_>| StartCheck { policy_still_holds: true, tool_unchanged: true };
    store.start_execution(&call, lease, fine).await.unwrap();
    office.a_moment().await;
    assert!(tells().contains("It will run in a moment."), "{}", tells());
    store.renew_execution(&call.id, call.epoch, lease).await.unwrap();
    office.a_moment().await;
    assert!(tells().contains("It is running now."), "{}", tells());
    // The worker is not heard of again; another one repeats the call with its key.
    office.passes(Span::seconds(31)).await;
    assert!(tells().contains("Approved and done"), "{}", tells());
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}

/// E8: what does not fit on the card is behind Show all, and the approve button with it.
#[tokio::test]
async fn what_the_card_cannot_show_it_cannot_approve() {
    let office = Office::opens().await;
    let long = "because ".repeat(2_500);
    let (_, card) = office.asks("mia", &format!("refund ch_1042 640.00 EUR, {long}")).await;
    assert!(!card.buttons.iter().any(|button| button == "Approve"), "{:?}", card.buttons);
    assert!(card.buttons.iter().any(|button| button == "Show all"), "{:?}", card.buttons);
    let opened = office.person("jonas").clicks(&card, "Show all").await.dialog.unwrap();
    assert!(opened.text.matches("because").count() >= 2_500, "all of it is there");
    let sent = office.person("jonas").sends(&opened, &[("reason", "read all of it")]).await;
    assert_eq!((sent.status, sent.errors), (200, Vec::new()));
    office.a_moment().await;
    assert_eq!(office.refunds().await, 1);
    office.closes().await;
}
