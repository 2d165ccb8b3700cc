//! What has ended long ago is reduced: the words go; who decided, on what digest and what came of it
//! stays, an old button is answered by what is true, and the chain still verifies.

use countersign::approval::Finding;
use countersign::audit;
use countersign::base::Span;
use countersign::work::{Retention, one_turn};
use serde_json::Value;

use crate::caller::asking;
use crate::office::{Office, REFUND};
use crate::reckoning::{count, text};

const DAY: u32 = 24 * 60;
/// What people said, what was asked and what came of it, and the names of those who had a part.
const WORDS: [&str; 6] = ["charged twice", "ch_1042", "640.00", "looked at it", "Mia", "Jonas"];

async fn opens(retention: &str) -> Office {
    let retention = format!("default: deny\nretention: {retention}");
    Office::opens_with(&[("default: deny", &retention)]).await
}

/// Which of the words are still in the database.
async fn words_left(office: &Office) -> Vec<&'static str> {
    let stored = office.every_row().await;
    WORDS.into_iter().filter(|word| stored.contains(word)).collect()
}

#[tokio::test]
async fn the_words_of_an_old_request_go_and_the_chain_still_verifies() {
    let office = opens("{ requests: 30d }").await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    assert_eq!(office.refunds().await, 1);
    // Somebody who comes too late is told Jonas's word, and so the log has it once more.
    let told = office.presses("lena", &card, "Approve").await.join(" ");
    assert!(told.contains("Already approved by Jonas"), "{told}");
    let desk = office.database().await;
    let digest = text(&desk, "SELECT digest FROM requests").await;
    let shown = "SELECT count(*) FROM cards WHERE shown_hash IS NOT NULL";
    assert_eq!(count(&desk, shown).await, 2);

    office.days_pass(29).await;
    assert_eq!(words_left(&office).await, WORDS, "nothing goes before its time");
    office.days_pass(2).await;
    assert_eq!(words_left(&office).await, [""; 0]);
    assert_eq!(
        count(&desk, shown).await,
        0,
        "names are found by guessing at a hash without a salt"
    );

    assert_eq!(text(&desk, "SELECT digest FROM requests").await, digest);
    assert_eq!(text(&desk, "SELECT outcome FROM requests").await, "approved");
    assert_eq!(
        text(&desk, "SELECT state FROM executions WHERE request_id IS NOT NULL").await,
        "succeeded"
    );
    let jonas = text(&desk, "SELECT person FROM votes").await;
    assert!(text(&desk, "SELECT decision FROM requests").await.contains(&jonas), "who decided");
    assert!(count(&desk, "SELECT count(*) FROM audit WHERE kind = 'desk.reduced'").await > 0);
    desk.close().await;
    office.closes().await;
}

/// The card still hangs in the channel; whoever presses its buttons hears the truth.
#[tokio::test]
async fn who_presses_an_old_button_is_told_what_is_still_known() {
    let office = opens("{ requests: 30d }").await;
    let long = "because ".repeat(2_500);
    let (_, card) = office.asks("mia", &format!("refund ch_1042 640.00 EUR, {long}")).await;
    office.rejects("jonas", &card).await;
    office.days_pass(31).await;
    let told = office.presses("lena", &card, "Reject…").await.join(" ");
    assert!(told.contains("Already rejected by somebody whose name is no longer kept"), "{told}");
    let told = office.presses("lena", &card, "Show all").await.join(" ");
    assert!(told.contains("no longer kept") && told.contains("rejected"), "{told}");
    assert_eq!(office.refunds().await, 0);

    // That Lena pressed is a record of its own, which becomes old as well.
    assert!(office.every_row().await.contains("Lena"));
    office.days_pass(31).await;
    assert!(!office.every_row().await.contains("Lena"));
    office.closes().await;
}

#[tokio::test]
async fn what_somebody_must_still_look_at_stays_whole_however_old_it_is() {
    let office = opens("{ requests: 7d, runs: 7d }").await;
    office.world.company.suffer(countersign::demo::Mishap::AnswerLost);
    let deletion = office.writes("mia", crate::office::DELETION).await;
    let card = office.card("noor", "#approvals");
    office.approves("noor", &card).await;
    assert!(office.thread("mia", &deletion).contains("UNKNOWN"));
    office.days_pass(20).await;
    let desk = office.database().await;
    let whole = "SELECT count(*) FROM requests WHERE reduced_at IS NULL";
    assert_eq!(count(&desk, whole).await, 1, "nobody has said yet what became of the deletion");

    let (store, workspace) = {
        let desk = &office.world.app().unwrap().desk;
        (desk.store.clone(), desk.workspace.clone())
    };
    let request = text(&desk, "SELECT id FROM requests").await;
    let settled = store.settle_unknown(&workspace, &request, Finding::Happened, "olga", "41 rows");
    settled.await.unwrap().unwrap();
    office.days_pass(6).await;
    assert_eq!(count(&desk, whole).await, 1, "what Olga found out is six days old");
    assert!(office.every_row().await.contains("41 rows"));
    office.days_pass(2).await;
    assert_eq!(count(&desk, whole).await, 0);
    let finding = text(&desk, "SELECT settled FROM executions").await;
    assert!(finding.contains("happened") && finding.contains("olga"), "{finding}");
    assert!(!office.every_row().await.contains("41 rows"));
    desk.close().await;
    office.closes().await;
}

#[tokio::test]
async fn a_conversation_is_remembered_while_it_goes_on_and_forgotten_whole_when_it_is_quiet() {
    let office = opens("{ runs: 10d }").await;
    let root = office.writes("mia", "look up order 1042").await;
    office.days_pass(8).await;
    office.person("mia").replies_in_thread(&root, "and order 7731043, please");
    office.a_moment().await;
    office.days_pass(8).await;
    let desk = office.database().await;
    let memory = "SELECT (SELECT count(*) FROM checkpoints) + (SELECT count(*) FROM state_values)";
    assert!(count(&desk, memory).await > 0, "the first message is sixteen days old");
    office.days_pass(3).await;
    for left in [
        memory,
        "SELECT count(*) FROM pending_writes",
        "SELECT count(*) FROM run_events",
        "SELECT count(*) FROM notices",
        "SELECT count(*) FROM runs WHERE reduced_at IS NULL",
        "SELECT count(*) FROM executions WHERE reduced_at IS NULL",
    ] {
        assert_eq!(count(&desk, left).await, 0, "{left}");
    }
    assert!(!office.every_row().await.contains("7731043"));

    // The thread is still there, and a message in it begins anew.
    office.person("mia").replies_in_thread(&root, "look up order 1042");
    office.a_moment().await;
    assert_eq!(count(&desk, "SELECT count(*) FROM threads").await, 1);
    assert_eq!(count(&desk, "SELECT count(*) FROM runs WHERE state = 'done'").await, 3);
    desk.close().await;
    office.closes().await;
}

/// A caller may hold one conversation for years. It goes some runs at a time, so that nobody who presses a
/// button waits for all of it, and what its agent remembers goes with the last.
#[tokio::test]
async fn a_long_conversation_goes_some_runs_at_a_time_also_when_the_power_fails() {
    let mut office = opens("{ runs: 7d }").await;
    for order in 0..40 {
        asking(&format!("look up order 10{order}")).with("thread_id", "t").post(&office).await;
        office.a_moment().await;
    }
    office.days_pass(6).await;
    let desk = office.database().await;
    let whole = "SELECT count(*) FROM runs WHERE reduced_at IS NULL";
    let memory = "SELECT count(*) FROM state_values";
    assert_eq!(count(&desk, whole).await, 40);
    let remembered = count(&desk, memory).await;
    office.clock.turn_forward(Span::minutes(DAY + 60));
    for left in [24, 8] {
        let retention = Retention::new(office.world.app().unwrap().desk.clone());
        assert_eq!(one_turn(&retention, 2).await.unwrap(), 1);
        assert_eq!(count(&desk, whole).await, left);
        assert_eq!(count(&desk, memory).await, remembered, "it may still go on");
        office.world.crash_desk().await;
        office.world.open_desk().await.unwrap();
    }
    office.passes(Span::minutes(20)).await;
    assert_eq!((count(&desk, whole).await, count(&desk, memory).await), (0, 0));
    let told = "SELECT count(*) FROM audit WHERE kind = 'desk.reduced' AND body LIKE '%\"runs\"%'";
    assert_eq!(count(&desk, told).await, 3, "three transactions, each with its record");
    desk.close().await;
    office.closes().await;
}

/// What fails may fail for long, and each time it keeps whoever presses a button waiting.
#[tokio::test]
async fn what_cannot_be_reduced_is_left_alone_until_the_next_look() {
    let office = opens("{ requests: 7d }").await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    office.days_pass(6).await;
    office.clock.turn_forward(Span::minutes(DAY + 60));
    let desk = office.database().await;
    let rename = |from, to| {
        sqlx::AssertSqlSafe(format!("ALTER TABLE requests RENAME COLUMN {from} TO {to}"))
    };
    sqlx::query(rename("undeliverable", "gone")).execute(&desk).await.unwrap();
    let retention = Retention::new(office.world.app().unwrap().desk.clone());
    one_turn(&retention, 2).await.unwrap_err();
    for _ in 0..9 {
        office.clock.turn_forward(Span::minutes(1));
        assert_eq!(one_turn(&retention, 2).await.unwrap(), 0, "it is not tried");
    }
    sqlx::query(rename("gone", "undeliverable")).execute(&desk).await.unwrap();
    desk.close().await;
    assert_eq!(words_left(&office).await, WORDS);
    office.clock.turn_forward(Span::minutes(1));
    while one_turn(&retention, 2).await.unwrap() > 0 {}
    assert_eq!(words_left(&office).await, [""; 0]);
    office.closes().await;
}

/// Whatever goes is gone for good. The desk was not at work on the day before, so it does not believe the
/// clock: not at once, nor after a restart.
#[tokio::test]
async fn a_clock_that_jumps_ahead_takes_nothing_with_it() {
    let mut office = opens("{ requests: 30d }").await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    office.passes(Span::minutes(2 * DAY)).await;
    office.passes(Span::minutes(365 * DAY)).await;
    assert_eq!(words_left(&office).await, WORDS);
    office.loses_power().await;
    office.passes(Span::minutes(23 * 60)).await;
    assert_eq!(words_left(&office).await, WORDS);

    // Somebody sets it right, and days go by.
    office.clock.turn_back(Span::minutes(365 * DAY));
    for _ in 0..5 {
        office.passes(Span::minutes(DAY)).await;
        assert_eq!(words_left(&office).await, WORDS);
    }
    office.closes().await;
}

/// A desk that stood still for long takes its clock for one that jumped, and asks for a day's patience.
#[tokio::test]
async fn a_desk_that_was_away_for_long_waits_a_day_before_anything_goes() {
    let mut office = opens("{ requests: 30d }").await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    office.world.crash_desk().await;
    office.clock.turn_forward(Span::minutes(60 * DAY));
    office.world.open_desk().await.unwrap();
    office.a_moment().await;
    office.passes(Span::minutes(DAY - 30)).await;
    assert_eq!(words_left(&office).await, WORDS);
    let desk = office.database().await;
    let held = "SELECT count(*) FROM audit WHERE kind = 'retention.held'";
    assert_eq!(count(&desk, held).await, 1, "the log says why, once");
    desk.close().await;
    office.passes(Span::minutes(60)).await;
    assert_eq!(words_left(&office).await, [""; 0]);
    office.closes().await;
}

/// A caller's key is known for as long as deliveries are.
#[tokio::test]
async fn what_comes_twice_is_known_again_for_as_long_as_the_file_says() {
    let office = opens("{ requests: 10d }").await;
    let once = asking("look up order 1042").header("Idempotency-Key", "order-1042-a");
    let first = once.post(&office).await.run();
    office.a_moment().await;
    office.days_pass(9).await;
    assert_eq!(once.post(&office).await.run(), first);
    office.days_pass(2).await;
    let anew = once.post(&office).await;
    assert_ne!(anew.run(), first);
    office.a_moment().await;
    office.closes().await;
}

/// Whoever reads the export finds the hash of what is left in a later record.
#[tokio::test]
async fn an_export_says_of_each_line_whether_it_is_the_one_that_was_hashed() {
    let office = opens("{ requests: 30d }").await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    office.days_pass(31).await;
    let mut export = Vec::new();
    let store = &office.world.app().unwrap().desk.store;
    audit::export(store, &mut export).await.unwrap();
    let export = String::from_utf8(export).unwrap();
    let lines: Vec<Value> =
        export.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let reduced: Vec<&Value> = lines.iter().filter(|line| !line["reduced_by"].is_null()).collect();
    assert!(reduced.len() > 5, "{export}");
    for line in reduced {
        let by = usize::try_from(line["reduced_by"].as_u64().unwrap()).unwrap();
        let told: Value = serde_json::from_str(lines[by - 1]["body"].as_str().unwrap()).unwrap();
        let list = ["seq", "at", "kind", "subject", "body"].map(|field| &line[field]);
        let list = serde_json::to_string(&list).unwrap();
        let hash = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(list));
        let left = serde_json::json!([line["seq"], hash]);
        assert!(told["left"].as_array().unwrap().contains(&left), "{line}");
    }
    office.closes().await;
}
