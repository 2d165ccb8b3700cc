//! Slack answers late, twice, with errors or not at all: cards and notices come right by themselves.

use countersign::base::Span;
use countersign::sandbox::Fault;

use crate::office::{INVOICE, Office};

/// Each row is what the next posts meet. In the end there is one card, and it works.
#[tokio::test]
async fn one_card_comes_of_it_whatever_the_posts_meet() {
    let table = [
        ("rate limited", vec![Fault::RateLimited(Span::seconds(20))]),
        ("a server error", vec![Fault::ServerError; 3]),
        ("an answer that is lost", vec![Fault::AnswerLost]),
        ("two answers that are lost", vec![Fault::AnswerLost; 2]),
        ("internal_error", vec![Fault::Code("internal_error".to_owned())]),
    ];
    for (what, faults) in table {
        let office = Office::opens().await;
        office.world.slack.next_calls("chat.postMessage", faults);
        let asked = office.writes("mia", INVOICE).await;
        office.passes(Span::minutes(3)).await;
        let cards = office.person("jonas").sees("#approvals");
        assert_eq!(cards.len(), 1, "{what}: {cards:#?}");
        assert_eq!(
            office.thread("mia", &asked).matches("waits for").count(),
            1,
            "{what}: {}",
            office.thread("mia", &asked)
        );
        office.approves("jonas", &cards[0]).await;
        assert_eq!(office.invoices_paid().await, 1, "{what}");
        office.closes().await;
    }
}

#[tokio::test]
async fn updates_that_fail_are_made_up_for() {
    let office = Office::opens().await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.world.slack.next_calls(
        "chat.update",
        vec![Fault::ServerError, Fault::RateLimited(Span::seconds(5)), Fault::AnswerLost],
    );
    office.approves("jonas", &card).await;
    office.passes(Span::minutes(3)).await;
    let shown = office.person("jonas").looks_at(&card.at).unwrap();
    assert!(shown.text.contains("Approved and done"), "{}", shown.text);
    assert_eq!(shown.buttons, Vec::<String>::new());
    office.closes().await;
}

/// Slack took no posts until it was over: approvers who were never asked are not told now, and the
/// requester is.
#[tokio::test]
async fn what_ended_before_anybody_could_be_asked_is_told_to_the_requester_alone() {
    let office = Office::opens().await;
    let slack = &office.world.slack;
    slack.next_calls("chat.postMessage", vec![Fault::RateLimited(Span::minutes(60)); 3]);
    let asked = office.writes("mia", INVOICE).await;
    office.passes(Span::minutes(200)).await;
    for channel in ["#approvals", "#managers"] {
        let seen = office.person("jonas").sees(channel);
        assert!(seen.is_empty(), "{channel}: {seen:#?}");
    }
    assert!(office.thread("mia", &asked).contains("expired"), "{}", office.thread("mia", &asked));
    office.closes().await;
}

/// The power failed while a post was on its way, and the desk that opens cannot even ask Slack which
/// channel it was.
#[tokio::test]
async fn a_post_is_not_forgotten_because_its_channel_cannot_be_looked_up() {
    let mut office = Office::opens().await;
    let slack = &office.world.slack;
    slack.next_calls("chat.postMessage", vec![Fault::AnswerLost; 2]);
    slack.next_calls("conversations.history", vec![Fault::ServerError; 3]);
    office.writes("mia", INVOICE).await;
    office.world.slack.next_calls("conversations.list", vec![Fault::ServerError; 3]);
    office.loses_power().await;
    office.passes(Span::minutes(5)).await;
    assert_eq!(office.person("jonas").sees("#approvals").len(), 1, "one card");
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    office.closes().await;
}

/// A post whose answer never came is still on its way when the desk wonders what became of it.
#[tokio::test]
async fn a_post_that_arrives_late_is_not_posted_again() {
    let office = Office::opens().await;
    let late = Fault::Late(Span::seconds(9));
    office.world.slack.next_calls("chat.postMessage", vec![late; 2]);
    let asked = office.writes("mia", INVOICE).await;
    office.passes(Span::minutes(1)).await;
    assert_eq!(office.person("jonas").sees("#approvals").len(), 1, "one card");
    let lines = office.person("mia").sees_in_thread(&asked);
    let waiting = lines.iter().filter(|line| line.text.contains("waits for")).count();
    assert_eq!(waiting, 1, "{lines:#?}");
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    office.closes().await;
}

/// The post got through, its answer did not, and before anybody could look for it the request was
/// decided: what is found then still shows the past.
#[tokio::test]
async fn a_post_that_is_found_late_is_brought_up_to_date() {
    let office = Office::opens().await;
    let slack = &office.world.slack;
    slack.next_calls("chat.postMessage", vec![Fault::AnswerLost; 2]);
    for lookup in ["conversations.history", "conversations.replies"] {
        slack.next_calls(lookup, vec![Fault::ServerError; 200]);
    }
    let asked = office.writes("mia", INVOICE).await;
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert!(office.thread("mia", &asked).contains("waits for"), "the line is not found yet");
    for lookup in ["conversations.history", "conversations.replies"] {
        slack.clear_faults(lookup);
    }
    office.passes(Span::minutes(10)).await;
    let said = office.person("mia").sees_in_thread(&asked);
    assert!(said.iter().all(|line| line.buttons.is_empty()), "{said:#?}");
    assert!(!office.thread("mia", &asked).contains("waits for"), "{said:#?}");
    office.closes().await;
}

#[tokio::test]
async fn slack_is_down_for_ten_minutes_and_everything_catches_up() {
    let office = Office::opens().await;
    for method in ["chat.postMessage", "chat.update"] {
        office.world.slack.next_calls(method, vec![Fault::ServerError; 200]);
    }
    let asked = office.writes("mia", INVOICE).await;
    office.passes(Span::minutes(5)).await;
    assert!(office.person("jonas").newest_card("#approvals").is_none());
    for method in ["chat.postMessage", "chat.update"] {
        office.world.slack.clear_faults(method);
    }
    office.passes(Span::minutes(5)).await;
    assert!(office.thread("mia", &asked).contains("waits for"));
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}
