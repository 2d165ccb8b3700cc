//! Slack answers late, twice, with errors or not at all: cards and notices come right by themselves.

use countersign::base::Span;
use countersign::sandbox::{Fault, Outage};

use crate::office::{INVOICE, Office, REFUND};

/// Each row is what the next posts meet. In the end there is one card, and it works.
#[tokio::test]
async fn one_card_comes_of_it_whatever_the_posts_meet() {
    let table = [
        ("rate limited", vec![Fault::RateLimited(Span::seconds(20))]),
        ("a server error", vec![Fault::ServerError; 3]),
        ("an answer that is lost", vec![Fault::AnswerLost]),
        ("two answers that are lost", vec![Fault::AnswerLost; 2]),
        ("internal_error", vec![Fault::Code("internal_error".to_owned())]),
        ("a page instead of an answer", vec![Fault::Page; 2]),
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

/// The posts of a card and of its line meet these troubles, and each appears once.
async fn each_appears_once(troubles: Vec<Fault>) {
    let office = Office::opens().await;
    office.world.slack.next_calls("chat.postMessage", troubles);
    let asked = office.writes("mia", INVOICE).await;
    office.passes(Span::minutes(2)).await;
    assert_eq!(office.person("jonas").sees("#approvals").len(), 1, "one card");
    let lines = office.person("mia").sees_in_thread(&asked);
    let waiting = lines.iter().filter(|line| line.text.contains("waits for")).count();
    assert_eq!(waiting, 1, "{lines:#?}");
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    office.closes().await;
}

const LATE: Fault = Fault::Late(Span::seconds(9));

/// A post whose answer never came is still on its way when the desk wonders what became of it.
#[tokio::test]
async fn a_post_that_arrives_late_is_not_posted_again() {
    each_appears_once(vec![LATE; 2]).await;
}

/// The first try was lost, and it is the second one that is on its way when the desk wonders.
#[tokio::test]
async fn a_second_try_that_arrives_late_is_not_posted_again_either() {
    each_appears_once(vec![Fault::ServerError, Fault::ServerError, LATE, LATE]).await;
}

/// Three cards and three lines were posted, and of none the answer came: Slack lets us read little.
#[tokio::test]
async fn one_look_at_a_channel_answers_for_all_that_are_looked_for_there() {
    let office = Office::opens().await;
    office.world.slack.next_calls("chat.postMessage", vec![Fault::AnswerLost; 6]);
    for nth in 0..3 {
        office.person("mia").writes_to_bot(&format!("pay invoice V-880{nth}"));
    }
    office.passes(Span::ZERO).await;
    office.passes(Span::minutes(1)).await;
    assert_eq!(office.person("jonas").sees("#approvals").len(), 3);
    let journal = office.world.slack.journal();
    let looks = |what: &str| journal.iter().filter(|passed| passed.what == what).count();
    assert_eq!(looks("conversations.history"), 1, "the channel of the cards");
    assert_eq!(looks("conversations.replies"), 3, "each thread");
    office.closes().await;
}

/// Nobody knows whether the card was posted, and then the bot is thrown out: nobody will ever know.
#[tokio::test]
async fn a_post_that_can_never_be_looked_for_does_not_keep_the_next_from_being_asked() {
    let office = Office::opens().await;
    office.world.slack.next_calls("chat.postMessage", vec![Fault::ServerError; 2]);
    office.writes("mia", INVOICE).await;
    office.world.slack.change_cast(|cast| {
        cast.channel_mut("#approvals").unwrap().members.remove("U0BOT");
    });
    office.passes(Span::minutes(1)).await;
    let card = office.card("priya", "#managers");
    office.approves("priya", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// A hand in the database, or a disk, spoilt what one message and one card are made of.
#[tokio::test]
async fn what_cannot_be_read_keeps_nothing_else_from_being_told() {
    let buttons = "UPDATE buttons SET choice = 'nonsense' WHERE choice = 'approve'";
    for card in ["UPDATE cards SET kind = 'nonsense' WHERE stage = 0", buttons] {
        let office = Office::opens().await;
        let busy = vec![Fault::RateLimited(Span::minutes(1)); 3];
        office.world.slack.next_calls("chat.postMessage", busy);
        office.writes("mia", INVOICE).await;
        office.writes("sam", "look up order 1042").await;
        let desk = office.database().await;
        for spoilt in ["UPDATE notices SET body = 'no json'", card] {
            let rows = sqlx::query(spoilt).execute(&desk).await.unwrap().rows_affected();
            assert_eq!(rows, 1, "{spoilt}");
        }
        desk.close().await;
        office.passes(Span::minutes(3)).await;
        // The next stage is asked, since nobody of the first can be.
        let card = office.card("priya", "#managers");
        office.approves("priya", &card).await;
        assert_eq!(office.invoices_paid().await, 1);
        office.closes().await;
    }
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

/// The post got through unheard, the desk starts anew, and now not even the channel can be found.
#[tokio::test]
async fn a_post_that_may_be_there_is_not_forgotten_while_its_channel_cannot_be_looked_up() {
    let mut office = Office::opens().await;
    let lost = vec![Fault::AnswerLost; 2];
    office.world.slack.next_calls("chat.postMessage", lost);
    let silent = vec![Fault::ServerError; 200];
    office.world.slack.next_calls("conversations.history", silent.clone());
    office.writes("mia", INVOICE).await;
    office.world.slack.next_calls("conversations.list", silent);
    office.loses_power().await;
    office.passes(Span::minutes(3)).await;
    for lookup in ["conversations.list", "conversations.history"] {
        office.world.slack.clear_faults(lookup);
    }
    office.passes(Span::minutes(5)).await;
    let cards = office.person("jonas").sees("#approvals");
    assert_eq!(cards.len(), 1, "{cards:#?}");
    office.approves("jonas", &cards[0]).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// Somebody has seen the card, and then nobody can press it any more: the next stage is asked.
#[tokio::test]
async fn a_card_whose_channel_is_archived_later_does_not_leave_its_request_alone() {
    let quorum = "approvers: finance, in: approvals, within: 30m, remind: [10m, 25m]";
    let two = quorum.replace("within", "quorum: 2, within");
    let managers = "approvers: managers, in: managers, within: 30m, remind: [20m]";
    let two_managers = managers.replace("within", "quorum: 2, within");
    let office = Office::opens_with(&[(quorum, &two), (managers, &two_managers)]).await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.world.slack.change_cast(|cast| {
        cast.channel_mut("#approvals").unwrap().archived = true;
    });
    office.approves("jonas", &card).await;
    let card = office.card("priya", "#managers");
    assert!(office.thread("mia", &asked).contains("could not show"), "the requester is told");
    office.approves("priya", &card).await;
    office.approves("vera", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    // The old card stands in the archive, where nobody can press it and nobody can change it.
    assert_eq!(office.world.verify().await.unwrap(), []);
}

/// The stage of an invoice, and the same with time for whoever is asked.
const PATIENT: [(&str, &str); 1] =
    [("within: 30m, remind: [10m, 25m]", "within: 6h, remind: [10m]")];

/// One request has all the time, and its card does not get through any more; the other one ends
/// meanwhile, and nobody can be told.
#[tokio::test]
async fn slack_is_down_for_hours_and_everything_catches_up() {
    let office = Office::opens_with(&PATIENT).await;
    let (refund, _) = office.asks("sam", REFUND).await;
    let slack = &office.world.slack;
    slack.next_calls("chat.postMessage", vec![Fault::ServerError; 2]);
    let invoice = office.writes("mia", INVOICE).await;
    slack.breaks(Outage::Down);
    let posted = office.person("jonas").sees("#approvals").len();
    office.passes(Span::minutes(4 * 60)).await;
    assert_eq!(office.person("jonas").sees("#approvals").len(), posted, "Slack takes nothing");
    slack.is_mended();
    office.passes(Span::minutes(10)).await;
    assert_eq!(office.refunds().await, 0, "nobody decided");
    assert!(office.thread("sam", &refund).contains("expired"), "{}", office.thread("sam", &refund));
    assert!(office.thread("mia", &invoice).contains("waits for"));
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    office.closes().await;
}

/// Somebody removes the app, and only hours later it is back under the same token.
#[tokio::test]
async fn an_app_that_is_removed_for_hours_has_lost_nothing_when_it_is_back() {
    let office = Office::opens_with(&PATIENT).await;
    let (_, first) = office.asks("sam", INVOICE).await;
    let slack = &office.world.slack;
    slack.next_calls("chat.postMessage", vec![Fault::RateLimited(Span::minutes(1)); 2]);
    let asked = office.writes("mia", "pay invoice V-7720").await;
    slack.uninstalls_the_app();
    office.passes(Span::minutes(3 * 60)).await;
    assert_eq!(office.person("jonas").sees("#approvals").len(), 1, "nothing gets through");
    let told = office.approves("jonas", &first).await.join(" ");
    assert!(told.contains("could not ask Slack"), "who presses cannot be known: {told}");
    assert_eq!(office.invoices_paid().await, 0);
    slack.is_mended();
    office.passes(Span::minutes(10)).await;
    assert!(office.thread("mia", &asked).contains("waits for"), "the requester knows who has it");
    let second = office.card("jonas", "#approvals");
    assert_ne!(second.at, first.at, "the card that was owed has come");
    for card in [&first, &second] {
        office.approves("jonas", card).await;
    }
    assert_eq!(office.invoices_paid().await, 2);
    office.closes().await;
}

/// Slack adds fields to its answers, and leaves out what it has never promised.
#[tokio::test]
async fn fields_come_and_go_and_the_desk_reads_what_it_needs() {
    let office = Office::opens().await;
    for method in [
        "chat.postMessage",
        "chat.update",
        "chat.startStream",
        "chat.appendStream",
        "chat.stopStream",
        "conversations.list",
        "users.info",
        "views.open",
    ] {
        office.world.slack.next_calls(method, vec![Fault::Strange; 50]);
    }
    let (asked, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    assert_eq!(office.refunds().await, 1);
    assert!(office.thread("mia", &asked).contains("It ran and succeeded"));
    office.passes(Span::minutes(1)).await;
    let looked = |what: &str| what == "conversations.history" || what == "conversations.replies";
    let journal = office.world.slack.journal();
    assert!(!journal.iter().any(|passed| looked(&passed.what)), "no post was in doubt");
    office.closes().await;
}

/// Cards that nobody needs any more do not stand in the line of those that somebody waits for.
#[tokio::test]
async fn what_ended_in_the_line_keeps_nobody_waiting() {
    let office = Office::opens().await;
    let hold = Span::minutes(5);
    // The card and the line in the thread may both be on their way.
    office.world.slack.next_calls("chat.postMessage", vec![Fault::RateLimited(hold); 2]);
    office.writes("mia", INVOICE).await;
    office.world.slack.clear_faults("chat.postMessage");
    for _ in 1..12 {
        office.writes("mia", INVOICE).await;
    }
    let desk = &office.world.app().unwrap().desk;
    let waiting = desk.store.pending_requests(&desk.workspace, None, 20).await.unwrap().requests;
    assert_eq!(waiting.len(), 12);
    for request in waiting.iter().map(|stored| &stored.request.id) {
        let cancelled = desk.store.cancel(&desk.workspace, request, "olga", "too many").await;
        assert!(cancelled.unwrap().is_ok());
    }
    office.passes(Span::minutes(2)).await;
    office.writes("sam", INVOICE).await;
    assert!(office.person("jonas").sees("#approvals").is_empty(), "Slack has not let us yet");
    office.passes(Span::seconds(58)).await;
    let seen = office.person("jonas").sees("#approvals");
    assert!(seen.is_empty(), "five minutes are not over: {seen:#?}");
    office.passes(Span::seconds(2)).await;
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    office.closes().await;
}
