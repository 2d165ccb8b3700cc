//! Slack refuses what it took a moment ago: a channel, a message, a card, a dialog. The decision counts all
//! the same, whoever asked is told, and nobody is shown what is not for them.

use countersign::base::Span;
use countersign::sandbox::Fault;

use crate::office::{INVOICE, Office, REFUND};

fn code(code: &str) -> Fault {
    Fault::Code(code.to_owned())
}

/// What is wrong with the card itself is wrong at every try, and so is what nobody has heard of.
#[tokio::test]
async fn what_slack_will_never_take_is_said_and_the_next_stage_is_asked() {
    for refused in ["msg_blocks_too_long", "invalid_blocks", "restricted_action", "a_new_code"] {
        let office = Office::opens().await;
        // The card and the line in the thread.
        office.world.slack.next_calls("chat.postMessage", vec![code(refused); 2]);
        let asked = office.writes("mia", INVOICE).await;
        office.passes(Span::minutes(1)).await;
        assert!(office.person("jonas").newest_card("#approvals").is_none(), "{refused}");
        let thread = office.thread("mia", &asked);
        assert!(thread.contains("could not show"), "{refused}: {thread}");
        let card = office.card("priya", "#managers");
        office.approves("priya", &card).await;
        assert_eq!(office.invoices_paid().await, 1, "{refused}");
        office.closes().await;
    }
}

/// A card shows as much as one message of Slack's holds, and never more.
#[tokio::test]
async fn slack_takes_the_card_of_an_action_of_any_size() {
    let office = Office::opens().await;
    for (nth, words) in [10, 300, 900, 1_200, 1_350, 1_450, 1_600, 3_000].into_iter().enumerate() {
        let long = "because ".repeat(words);
        office.writes("mia", &format!("refund ch_1042 640.00 EUR, {long}")).await;
        let card = office.person("jonas").newest_card("#approvals");
        let card = card.unwrap_or_else(|| panic!("Slack took no card of {words} words"));
        let whole = card.buttons.iter().any(|button| button == "Approve");
        let label = if whole { "Approve" } else { "Show all" };
        assert_eq!(office.presses("jonas", &card, label).await, Vec::<String>::new());
        office.a_moment().await;
        assert_eq!(office.refunds().await, nth as i64 + 1, "{words} words, {label}");
    }
    assert!(office.person("priya").sees("#managers").is_empty(), "no card was refused");
    office.closes().await;
}

#[tokio::test]
async fn a_bot_thrown_out_after_its_card_was_posted_still_hears_the_decision() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.world.slack.change_cast(|cast| {
        cast.channel_mut("#approvals").unwrap().members.remove("U0BOT");
    });
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("It ran and succeeded"), "the requester is told: {thread}");
    // The card cannot be changed any more, and whoever presses is told the truth.
    let told = office.approves("lena", &card).await.join(" ");
    assert!(told.contains("Already approved by") && told.contains("Jonas"), "{told}");
    assert_eq!(office.invoices_paid().await, 1);
    assert!(office.person("priya").sees("#managers").is_empty(), "nobody else is asked");
    assert_eq!(office.world.verify().await.unwrap(), []);
}

/// S9: the operator named a channel of the company's own, and then somebody shared it.
#[tokio::test]
async fn a_channel_that_another_company_was_let_into_gets_no_card() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.approves("jonas", &card).await;
    office.world.slack.change_cast(|cast| {
        let approvals = cast.channel_mut("#approvals").unwrap();
        approvals.shared = true;
        approvals.members.insert("U0ERIK".to_owned());
    });
    // What the desk knows of a channel may be so old.
    office.passes(Span::minutes(10)).await;
    let asked = office.writes("mia", "pay invoice V-7720").await;
    office.a_moment().await;
    let seen = office.person("erik").sees("#approvals");
    assert!(!seen.iter().any(|card| card.text.contains("V-7720")), "{seen:#?}");
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("could not show") && thread.contains("is_ext_shared"), "{thread}");
    let card = office.card("priya", "#managers");
    office.approves("priya", &card).await;
    assert_eq!(office.invoices_paid().await, 2);
    office.closes().await;
}

/// Slack keeps the card and lets nobody change it: another one says what is true by now.
#[tokio::test]
async fn a_card_that_cannot_be_changed_any_more_is_followed_by_one_that_is_true() {
    let quorum = "approvers: finance, in: approvals, within: 30m, remind: [10m, 25m]";
    let two = quorum.replace("within", "quorum: 2, within");
    for refused in ["cant_update_message", "edit_window_closed"] {
        let office = Office::opens_with(&[(quorum, &two)]).await;
        let (asked, old) = office.asks("mia", INVOICE).await;
        office.world.slack.next_calls("chat.update", vec![code(refused); 50]);
        office.approves("jonas", &old).await;
        let new = office.card("lena", "#approvals");
        assert_ne!(new.at, old.at, "{refused}");
        assert!(new.text.contains("Approved by") && new.text.contains("Jonas"), "{}", new.text);
        assert!(office.person("priya").sees("#managers").is_empty(), "nobody else is asked");
        let told = office.approves("lena", &old).await.join(" ");
        assert!(told.contains("use the newest card in the channel"), "{told}");
        assert_eq!(office.invoices_paid().await, 0, "a press on the old card does not count");

        office.approves("lena", &new).await;
        office.passes(Span::minutes(1)).await;
        assert_eq!(office.invoices_paid().await, 1, "{refused}");
        let last = office.person("lena").sees("#approvals").pop().unwrap();
        assert!(last.text.contains("Approved and done") && last.buttons.is_empty(), "{last:#?}");
        let thread = office.thread("mia", &asked);
        assert!(thread.contains("It ran and succeeded"), "the requester is told: {thread}");
        for card in [&old, &new] {
            let told = office.approves("lena", card).await.join(" ");
            assert!(told.contains("use the newest card in the channel"), "{told}");
            office.world.slack.lose_message(&card.at.channel, &card.at.ts);
        }
        office.closes().await;
    }
}

#[tokio::test]
async fn whoever_cannot_be_answered_at_their_click_is_told_in_the_channel() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.world.slack.next_calls("response_url", [code("expired_url")]);
    let told = office.presses("mia", &card, "Approve").await.join(" ");
    assert!(told.contains("You asked for this yourself"), "{told}");
    let journal = office.world.slack.journal();
    assert!(journal.iter().any(|passed| passed.what == "chat.postEphemeral"));
    office.rejects("jonas", &card).await;
    office.closes().await;
}

#[tokio::test]
async fn a_dialog_that_is_sent_after_the_decision_says_who_decided() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    let jonas = office.person("jonas");
    let opened = jonas.clicks(&card, "Reject…").await.dialog.unwrap();
    office.approves("lena", &card).await;
    let sent = jonas.sends(&opened, &[("reason", "not this one")]).await;
    let told = sent.now.unwrap();
    assert!(told.text.contains("Already approved by") && told.text.contains("Lena"), "{told:?}");
    assert_eq!(office.invoices_paid().await, 1);
    jonas.cancels(&told).await;
    office.closes().await;
}

/// Two of the desk's answers to one Home tab overtook each other.
#[tokio::test]
async fn a_home_tab_that_slack_calls_outdated_is_drawn_at_the_next_delivery() {
    let office = Office::opens().await;
    office.asks("mia", REFUND).await;
    office.world.slack.next_calls("views.publish", [code("hash_conflict")]);
    office.person("jonas").opens_home();
    office.a_moment().await;
    let home = office.person("jonas").home();
    assert!(home.contains("payments.refund"), "{home}");
    office.passes(Span::minutes(61)).await;
    office.closes().await;
}
