//! `requests list`, `show` and `cancel` beside a desk at work.

use countersign::base::{Clock, Span, SystemClock};

use crate::bench::{Desk, Slack};
use crate::readable::readable;

#[tokio::test]
async fn lists_show_what_waits_and_what_ended() {
    let desk = Desk::open().await;
    let nothing = desk.runs(&["requests", "list"]).await;
    assert_eq!((nothing.code, nothing.out.as_str()), (0, "Nothing is waiting.\n"));
    let nothing = desk.runs(&["requests", "list", "--all"]).await;
    assert_eq!((nothing.code, nothing.out.as_str()), (0, "Nothing was ever asked.\n"));

    let desk = Desk::with_a_past().await;
    let waiting = desk.runs(&["requests", "list"]).await;
    insta::assert_snapshot!("requests_list", readable(&waiting.shown()));
    let all = desk.runs(&["requests", "list", "--all"]).await;
    insta::assert_snapshot!("requests_list_all", readable(&all.shown()));
}

#[tokio::test]
async fn a_request_is_shown_with_its_story() {
    let desk = Desk::with_a_past().await;
    for (nth, id) in desk.ids(&["--all"]).await.iter().enumerate() {
        let shown = desk.runs(&["requests", "show", id]).await;
        insta::assert_snapshot!(format!("requests_show_{nth}"), readable(&shown.shown()));
    }
    let unknown = desk.runs(&["requests", "show", "req_0"]).await;
    insta::assert_snapshot!("requests_show_unknown", unknown.shown());
}

/// Slack takes nothing in the approvers' channel. The desk's people may be asleep; whoever runs it is told.
#[tokio::test]
async fn what_its_approvers_cannot_see_is_said_wherever_an_operator_looks() {
    let (slack, start) = (Slack::start().await, SystemClock.now().minus(Span::minutes(20)));
    let desk = Desk::open_at(start, &[]).await;
    let store = format!("store: sqlite://{}", desk.database().display());
    slack.configure(&[("store: sqlite://countersign.db", &store)]);
    let refuses = |code| {
        desk.world.slack.change_cast(|cast| {
            cast.channel_mut("#approvals").expect("a channel").refuses = code;
        });
    };
    refuses(Some("missing_scope"));
    desk.writes("mia", "pay invoice V-7719").await;
    desk.world.pass(Span::minutes(2)).await.unwrap();

    let listed = desk.runs(&["requests", "list"]).await;
    insta::assert_snapshot!("requests_list_unseen", readable(&listed.shown()));
    let id = desk.ids(&[]).await.pop().unwrap();
    let shown = desk.runs(&["requests", "show", &id]).await;
    assert!(shown.out.contains("NOT SHOWN to its approvers"), "{}", shown.all());
    let told = slack.runs(&["doctor"]).await;
    let warned = told.out.lines().find(|line| line.contains("approvers cannot see")).unwrap();
    assert!(warned.starts_with("WARN") && warned.contains(": 1. "), "{warned}");
    assert!(warned.contains("missing_scope"), "{warned}");
    assert_eq!(desk.runs(&["verify"]).await.code, 0, "it is said, so nothing is broken");

    refuses(None);
    desk.world.pass(Span::minutes(5)).await.unwrap();
    for ran in [desk.runs(&["requests", "list"]).await, slack.runs(&["doctor"]).await] {
        assert!(!ran.out.contains("NOT SHOWN"), "they see it: {}", ran.all());
    }
}

#[tokio::test]
async fn cancelling_closes_the_card_and_tells_the_requester() {
    let desk = Desk::open().await;
    let asked = desk.writes("mia", "pay invoice V-7719").await;
    let jonas = desk.world.slack.person("jonas");
    let card = jonas.newest_card("#approvals").unwrap();
    let id = desk.ids(&[]).await.pop().unwrap();

    let cancelled =
        desk.runs(&["requests", "cancel", &id, "--reason", "V-7719 is a <!channel> scam"]).await;
    insta::assert_snapshot!("requests_cancel", readable(&cancelled.shown()));
    desk.settles().await;

    let closed = jonas.looks_at(&card.at).unwrap();
    insta::assert_snapshot!("requests_cancel_card", readable(&closed.text));
    assert_eq!(closed.buttons, [] as [&str; 0]);
    insta::assert_snapshot!("requests_cancel_reply", readable(&desk.replies("mia", &asked)));

    let clicked = jonas.clicks(&card, "Approve").await;
    desk.settles().await;
    let told = clicked.told.iter().chain(&jonas.notes()).cloned().collect::<Vec<_>>().join("\n");
    assert!(told.contains("cancelled"), "who clicks late is told the truth: {told}");
    assert_eq!(desk.world.company.payments("payment").await.unwrap(), 0);
    assert_eq!(desk.world.live_cards(), [] as [&str; 0]);
    assert_eq!(desk.runs(&["requests", "list"]).await.out, "Nothing is waiting.\n");
    assert_eq!(desk.runs(&["verify"]).await.code, 0);
}

#[tokio::test]
async fn what_has_ended_cannot_be_cancelled() {
    let desk = Desk::with_a_past().await;
    let ids = desk.ids(&["--all"]).await;
    for (nth, id) in ids.iter().enumerate().skip(1) {
        let refused = desk.runs(&["requests", "cancel", id, "--reason", "too late"]).await;
        insta::assert_snapshot!(format!("requests_cancel_ended_{nth}"), readable(&refused.shown()));
    }
    let unknown = desk.runs(&["requests", "cancel", "req_0", "--reason", "x"]).await;
    insta::assert_snapshot!("requests_cancel_unknown", unknown.shown());
    let by = ["--by", "olga", "--reason", "once"];
    let cancel = [&["requests", "cancel", ids[0].as_str()][..], &by].concat();
    assert_eq!(desk.runs(&cancel).await.code, 0);
    let again = desk.runs(&cancel).await;
    insta::assert_snapshot!("requests_cancel_twice", readable(&again.shown()));
}

#[tokio::test]
async fn a_database_that_is_none_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("notes.db"), "these are notes").unwrap();
    for (name, args) in [
        ("missing", &["requests", "list", "--database", "sqlite://desk.db"][..]),
        ("missing_to_write", &["stop", "--reason", "x", "--database", "sqlite://desk.db"]),
        ("not_ours", &["verify", "--database", "sqlite://notes.db"]),
        ("not_sqlite", &["export", "--database", "postgres://desk"]),
        ("unconfigured", &["requests", "list"]),
    ] {
        let ran = crate::program::run(folder.path(), args, &[]).await;
        insta::assert_snapshot!(format!("database_{name}"), ran.shown());
    }
    let left: Vec<_> = std::fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing is made by looking: {left:?}");
}
