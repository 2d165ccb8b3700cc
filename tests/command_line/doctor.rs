//! `doctor`: what is wrong with an installation, and how to mend it.

use countersign::base::{Clock, Span, SystemClock};
use countersign::sandbox::{Cast, Kind};

use crate::bench::{BOT_TOKEN, Desk, ENV, SIGNING_SECRET, Slack};
use crate::program::run;
use crate::readable::readable;
use crate::serve::Serving;

#[tokio::test]
async fn all_is_well() {
    let slack = Slack::start().await;
    let ran = slack.runs(&["doctor"]).await;
    insta::assert_snapshot!("doctor", readable(&ran.shown()));
    let posted = slack.sandbox.journal().iter().any(|passed| passed.what.contains("chat."));
    assert!(!posted, "a doctor posts nothing");
}

/// The name of the snapshot, and what happens to the workspace.
type Trouble = (&'static str, fn(&mut Cast));

const TROUBLES: [Trouble; 6] = [
    ("not_in_channel", |cast| {
        cast.channel_mut("#approvals").expect("a channel").members.remove("U0BOT");
    }),
    ("archived", |cast| cast.channel_mut("#approvals").expect("a channel").archived = true),
    ("channel_gone", |cast| {
        cast.channel_mut("#approvals").expect("a channel").name = "decisions".to_owned()
    }),
    ("one_has_left", |cast| cast.person_mut("U0JONAS").expect("a person").kind = Kind::Deactivated),
    ("nobody_is_left", |cast| {
        for id in ["U0PRIYA", "U0VERA"] {
            cast.person_mut(id).expect("a person").kind = Kind::Guest;
        }
    }),
    ("not_in_the_room", |cast| {
        for id in ["U0JONAS", "U0LENA"] {
            cast.channel_mut("#approvals").expect("a channel").members.remove(id);
        }
    }),
];

#[tokio::test]
async fn each_trouble_is_found_with_its_mend() {
    for (name, trouble) in TROUBLES {
        let slack = Slack::start().await;
        slack.sandbox.change_cast(trouble);
        let ran = slack.runs(&["doctor"]).await;
        let fails = ran.out.lines().any(|line| line.starts_with("FAIL"));
        assert_eq!(ran.code, i32::from(fails), "{name}: {}", ran.all());
        insta::assert_snapshot!(format!("doctor_{name}"), readable(&ran.shown()));
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let slack = Slack::start().await;
    let scopes = countersign::config::manifest::scopes();
    let granted: Vec<&str> =
        scopes.iter().map(String::as_str).filter(|scope| *scope != "users:read.email").collect();
    slack.sandbox.grant(&granted);
    insta::assert_snapshot!("doctor_scope", readable(&slack.runs(&["doctor"]).await.shown()));
}

#[tokio::test]
async fn a_wrong_token_and_a_strange_secret_are_found_and_not_shown() {
    let slack = Slack::start().await;
    let env = [("DEMO_SIGNING_SECRET", "canary-secret"), ("DEMO_BOT_TOKEN", "xoxb-canary-wrong")];
    let ran = run(slack.folder(), &["doctor"], &env).await;
    assert!(!ran.all().contains("canary"), "{}", ran.all());
    insta::assert_snapshot!("doctor_token", readable(&ran.shown()));
}

/// Whoever serves from it knows best; of a desk that is dead nobody else would tell.
#[tokio::test]
async fn a_store_that_nobody_has_closed_is_told_while_nobody_serves() {
    let slack = Slack::start().await;
    let mark = slack.folder().join("countersign.db.unchecked");
    let is_told = async || slack.runs(&["doctor"]).await.out.contains("not closed in good order");
    let serving = Serving::start(&slack, &[]).await;
    assert!(mark.exists() && !is_told().await, "it serves");
    assert_eq!(serving.ends().await.code, 0);
    assert!(!mark.exists() && !is_told().await, "it was closed");
    std::fs::write(&mark, "").expect("writable");
    assert!(is_told().await, "a desk has died");
    assert!(mark.exists(), "a doctor changes nothing");
}

#[tokio::test]
async fn nobody_answers_at_all() {
    let slack = Slack::start().await;
    slack.configure(&[(&slack.sandbox.url(), "http://127.0.0.1:1")]);
    let ran = slack.runs(&["doctor"]).await;
    assert!(!ran.all().contains(BOT_TOKEN), "{}", ran.all());
    insta::assert_snapshot!("doctor_offline", readable(&ran.shown()));
}

#[tokio::test]
async fn the_public_address_is_tried_as_slack_would() {
    let slack = Slack::start().await;
    let serving = Serving::start(&slack, &[]).await;
    let public = format!("public_url: http://{}\nstore:", serving.address);
    slack.configure(&[("store:", &public)]);
    let ran = slack.runs(&["doctor"]).await;
    insta::assert_snapshot!("doctor_reached", readable(&ran.shown()));

    let other = SIGNING_SECRET.replace('0', "1");
    let env = [("DEMO_SIGNING_SECRET", other.as_str()), ENV[1]];
    let ran = run(slack.folder(), &["doctor"], &env).await;
    insta::assert_snapshot!("doctor_other_secret", readable(&ran.shown()));
    assert_eq!(serving.ends().await.code, 0);
    let ran = slack.runs(&["doctor"]).await;
    insta::assert_snapshot!("doctor_closed", readable(&ran.shown()));
}

#[tokio::test]
async fn what_began_on_another_graph_is_listed_before_it_is_replaced() {
    let (slack, desk) = (Slack::start().await, Desk::open().await);
    desk.writes("mia", "pay invoice V-7719").await;
    let store = format!("store: sqlite://{}", desk.database().display());
    let store = ("store: sqlite://countersign.db", store.as_str());
    slack.configure(&[store]);
    let ran = slack.runs(&["doctor"]).await;
    assert!(!ran.out.contains("another definition"), "it can go on: {}", ran.all());

    slack.configure(&[store, ("  ops:\n", "  clerks:\n")]);
    let ran = slack.runs(&["doctor"]).await;
    let mut listed = ran.out.lines().skip_while(|line| !line.contains("another definition"));
    let (warning, run) = (listed.next().unwrap_or_default(), listed.next().unwrap_or_default());
    assert!(warning.starts_with("WARN") && warning.ends_with(": 1"), "{}", ran.all());
    assert!(run.contains("run_") && run.ends_with("`ops`  for Mia  waits for a decision"), "{run}");
    assert!(listed.next().unwrap_or_default().contains("keep a process"), "{}", ran.all());
}

/// For all that the log knows, the clock has jumped by a month.
#[tokio::test]
async fn what_is_old_stays_after_a_month_in_which_no_desk_was_at_work() {
    let slack = Slack::start().await;
    slack.configure(&[("default: deny", "default: deny\nretention: { requests: 7d }")]);
    let told = slack.runs(&["doctor"]).await;
    assert!(!told.out.contains("what is old"), "there is no desk yet: {}", told.all());
    for (days, word) in [(2, 0), (30, 1)] {
        let start = SystemClock.now().minus(Span::minutes(days * 24 * 60));
        let desk = Desk::open_at(start, &[]).await;
        let database = desk.database();
        let folder = desk.close().await;
        std::fs::copy(&database, slack.folder().join("countersign.db")).unwrap();
        drop(folder);
        let told = slack.runs(&["doctor"]).await;
        assert_eq!(told.code, 0, "{}", told.all());
        let said = told.out.matches("WARN  what is old stays for now").count();
        assert_eq!(said, word, "{days} days: {}", told.all());
    }
}
