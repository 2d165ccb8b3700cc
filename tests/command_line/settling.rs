//! Nobody knows whether an action happened: it waits for a person, who looks and says so.

use countersign::base::Span;
use countersign::demo::Mishap;
use countersign::store::{Ended, StartCheck, StoreError};

use crate::bench::{Desk, ENV, Slack};
use crate::program::{countersign, run};
use crate::readable::readable;

/// A deletion is approved, and its tool breaks off without an answer.
async fn a_deletion_breaks_off() -> (Desk, countersign::sandbox::MessageRef, String) {
    let desk = Desk::open().await;
    let asked = desk.writes("mia", "delete sessions older than 2025-01-01").await;
    desk.world.company.suffer(Mishap::AnswerLost);
    desk.decides("noor", "Approve", "sampled the rows").await;
    let id = desk.ids(&["--all"]).await.pop().expect("a request");
    (desk, asked, id)
}

#[tokio::test]
async fn what_nobody_knows_is_listed_until_a_person_has_looked() {
    let (desk, asked, id) = a_deletion_breaks_off().await;
    let listed = desk.runs(&["requests", "list"]).await;
    insta::assert_snapshot!("settle_list", readable(&listed.shown()));
    let reason = ["--by", "olga", "--reason", "41 rows are gone from the <!channel> table"];
    let settle = [&["requests", "settle", id.as_str(), "happened"][..], &reason].concat();
    let settled = desk.runs(&settle).await;
    insta::assert_snapshot!("settle", readable(&settled.shown()));
    desk.settles().await;

    let card = desk.world.slack.person("noor").sees("#approvals").pop().unwrap();
    insta::assert_snapshot!("settle_card", readable(&card.text));
    insta::assert_snapshot!("settle_replies", readable(&desk.replies("mia", &asked)));
    let again = desk.runs(&settle).await;
    insta::assert_snapshot!("settle_again", readable(&again.shown()));
    assert_eq!(desk.runs(&["requests", "list"]).await.out, "Nothing is waiting.\n");
    assert_eq!(desk.world.company.journal().await.unwrap().len(), 1, "nothing ran again");
    let verified = desk.runs(&["verify"]).await;
    assert_eq!(verified.code, 0, "{}", verified.all());
}

/// A rule allowed it, so there is no card and nobody was asked.
#[tokio::test]
async fn what_a_rule_allowed_is_told_in_its_thread() {
    let keyed = "retry: keyed\n    keyed_for: 24h\n    show: [amount, currency, charge]";
    let once = "retry: once\n    show: [amount, currency, charge]";
    let (slack, desk) = (Slack::start().await, Desk::open_with(&[(keyed, once)]).await);
    let store = format!("store: sqlite://{}", desk.database().display());
    slack.configure(&[("store: sqlite://countersign.db", &store)]);
    desk.world.company.suffer(Mishap::AnswerLost);
    let asked = desk.writes("mia", "refund ch_7 20.00 EUR, late parcel").await;
    insta::assert_snapshot!("allowed_replies_unknown", readable(&desk.replies("mia", &asked)));
    let listed = desk.runs(&["requests", "list", "--all"]).await;
    insta::assert_snapshot!("allowed_list", readable(&listed.shown()));
    let id = listed.out.split(' ').next().unwrap().to_owned();
    let show = ["requests", "show", &id];
    insta::assert_snapshot!("allowed_show", readable(&desk.runs(&show).await.shown()));
    let doctor = slack.runs(&["doctor"]).await.out;
    let counted = "actions of which nobody knows whether they happened: 1";
    assert!(doctor.contains(counted) && doctor.contains("requests settle"), "{doctor}");

    let settle =
        ["requests", "settle", &id, "happened", "--by", "olga", "--reason", "it is booked"];
    assert_eq!(desk.runs(&settle).await.code, 0);
    desk.settles().await;
    insta::assert_snapshot!("allowed_replies_settled", readable(&desk.replies("mia", &asked)));
    insta::assert_snapshot!("allowed_show_settled", readable(&desk.runs(&show).await.shown()));
    assert_eq!(desk.runs(&["requests", "list"]).await.out, "Nothing is waiting.\n");
    assert!(!slack.runs(&["doctor"]).await.out.contains("nobody knows"));
    assert_eq!(desk.runs(&["verify"]).await.code, 0);
}

#[tokio::test]
async fn more_than_can_be_listed_is_counted() {
    let (desk, ..) = a_deletion_breaks_off().await;
    let copy = crate::tampering::copied(&desk).await;
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1002)
        INSERT INTO executions (id, workspace, retry_class, envelope, digest, key, state, epoch,
                                attempts, start_by, ordered_at, started_at, ended_at)
        SELECT id || i, workspace, retry_class, envelope, digest, key || i, state, epoch, attempts,
               start_by, ordered_at, started_at, ended_at + i FROM executions, n";
    crate::tampering::change(&copy, many).await;
    let url = format!("sqlite://{}", copy.display());
    let list = ["requests", "list", "--database", &url];
    let listed = run(desk.folder(), &list, &[]).await.out;
    assert_eq!(listed.lines().count(), 1001, "{listed}");
    let last = listed.lines().last().unwrap();
    assert!(last.starts_with("Not listed: 3 more actions whose outcome is unknown."), "{last}");
}

#[tokio::test]
async fn nobody_settles_without_a_name() {
    let (desk, _, id) = a_deletion_breaks_off().await;
    let settle = ["requests", "settle", &id, "happened", "--reason", "I looked"];
    for (by, env) in [(&["--by", " "][..], None), (&["--by", ""], None), (&[], Some(""))] {
        let args = [&settle[..], by].concat();
        let env: Vec<_> = ENV.into_iter().chain(env.map(|user| ("USER", user))).collect();
        let refused = run(desk.folder(), &args, &env).await;
        assert_eq!(refused.code, 2, "{}", refused.all());
        assert!(refused.err.contains("--by <NAME>"), "{}", refused.err);
    }
    let mut nobody = countersign(desk.folder(), &settle, &ENV);
    let refused = nobody.env_remove("USER").output().await.unwrap();
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    let refused = desk.runs(&["stop", "--by", "", "--reason", "something is odd"]).await;
    assert_eq!(refused.code, 2, "{}", refused.all());
    assert!(desk.runs(&["requests", "list"]).await.out.contains("OUTCOME UNKNOWN"));
}

/// A worker that was taken for dead says how its call ended. That counts for nothing, and helps
/// whoever looks.
#[tokio::test]
async fn what_a_worker_says_too_late_is_shown_to_whoever_looks() {
    let desk = Desk::open().await;
    desk.writes("mia", "delete sessions older than 2025-01-01").await;
    desk.presses("noor", "Approve", "sampled the rows").await;
    let (store, lease) = (&desk.world.app().unwrap().desk.store, Span::seconds(30));
    let window = |_: &_| Span::ZERO;
    let call = store.claim_executions("a worker", lease, 1, window).await.unwrap().remove(0);
    let fine = |_: &_, _: Option<&_>| StartCheck { policy_still_holds: true, tool_unchanged: true };
    store.start_execution(&call, lease, fine).await.unwrap();
    desk.world.pass(Span::seconds(31)).await.unwrap();
    let noor = desk.world.slack.person("noor");
    let card = noor.sees("#approvals").pop().unwrap();
    assert!(card.text.contains("OUTCOME UNKNOWN"), "{}", card.text);

    let late = Ended::Succeeded { content: "18412 rows".to_owned() };
    let said = store.finish_execution(&call, lease, late).await;
    assert!(matches!(said, Err(StoreError::Fenced)), "{said:?}");
    desk.settles().await;
    let card = noor.looks_at(&card.at).unwrap().text;
    let listed = desk.runs(&["requests", "list"]).await.out;
    let id = desk.ids(&["--all"]).await.remove(0);
    let shown = desk.runs(&["requests", "show", &id]).await.out;
    for text in [card, listed, shown] {
        let known = "A worker that had lost it said later that it succeeded: ";
        assert!(text.contains(known) && text.contains("18412 rows"), "{text}");
        assert!(text.contains("its worker stopped before it could say"), "{text}");
    }
    assert_eq!(desk.runs(&["verify"]).await.code, 0);
}

#[tokio::test]
async fn each_finding_says_its_own_and_nothing_else_can_be_settled() {
    for finding in ["did-not-happen", "written-off"] {
        let (desk, _, id) = a_deletion_breaks_off().await;
        let settle = ["requests", "settle", &id, finding, "--by", "olga", "--reason", "I looked"];
        let settled = desk.runs(&settle).await;
        insta::assert_snapshot!(format!("settle_{finding}"), readable(&settled.shown()));
        let shown = desk.runs(&["requests", "show", &id]).await;
        insta::assert_snapshot!(format!("settle_show_{finding}"), readable(&shown.shown()));
        assert_eq!(desk.runs(&["verify"]).await.code, 0);
    }
    let desk = Desk::with_a_past().await;
    for (nth, id) in desk.ids(&["--all"]).await.iter().enumerate() {
        let refused = desk.runs(&["requests", "settle", id, "happened", "--reason", "x"]).await;
        insta::assert_snapshot!(format!("settle_refused_{nth}"), readable(&refused.shown()));
    }
}

#[tokio::test]
async fn a_finding_that_was_changed_afterwards_is_found() {
    let (desk, _, id) = a_deletion_breaks_off().await;
    let settle = ["requests", "settle", &id, "happened", "--by", "olga", "--reason", "I looked"];
    assert_eq!(desk.runs(&settle).await.code, 0);
    for change in [
        "UPDATE executions SET settled = replace(settled, 'happened', 'written_off')",
        "UPDATE executions SET settled = NULL",
        "UPDATE executions SET settled = replace(settled, 'olga', 'gus')",
    ] {
        let ran = crate::tampering::after(&desk, change).await;
        assert_eq!(ran.code, 1, "{change}");
        let said = "what was found out about it is not what is in the log";
        assert!(ran.err.contains(said), "{change}: {}", ran.err);
    }
}
