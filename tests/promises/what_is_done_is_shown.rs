//! While a run goes on its thread shows what is done, word by word and line by line; it shows that a
//! human is waited for; and whatever gets lost on the way, the answer stands there once.

use std::sync::Arc;
use std::time::Duration;

use countersign::base::{Span, TurnableClock};
use countersign::demo::{Setting, World};
use countersign::sandbox::{Fault, MessageRef, Pace};

use crate::office::{INVOICE, Office};
use crate::reckoning::count;

const PAID: &str = "for invoice V-7719.";

/// How often the thread says how it ended.
fn answers(office: &Office, root: &MessageRef) -> usize {
    let thread = office.person("mia").sees_in_thread(root);
    thread.iter().filter(|reply| reply.text.contains(PAID)).count()
}

fn calls(office: &Office, method: &str) -> usize {
    office.world.slack.journal().iter().filter(|passed| passed.what == method).count()
}

#[tokio::test]
async fn the_session_waits_for_a_person_and_the_same_thread_goes_on() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    let mia = office.person("mia");
    assert_eq!(mia.session(&asked).as_deref(), Some("suspended"));
    office.approves("jonas", &card).await;
    assert_eq!(mia.session(&asked).as_deref(), Some("active"));
    let thread = mia.sees_in_thread(&asked);
    let shown = thread.iter().find(|reply| reply.text.contains(PAID)).unwrap();
    assert_eq!(
        shown.tasks,
        [
            "Approval of vendor.pay_invoice: complete",
            "Running vendor.pay_invoice: complete",
            "Thinking: complete",
        ]
    );
    assert!(!shown.grows);
    assert_eq!(answers(&office, &asked), 1);
    office.closes().await;
}

/// Each call of the stream gets through and its answer is lost, or it does not get through at all.
#[tokio::test]
async fn whatever_gets_lost_the_answer_stands_there_once() {
    let faults: [(&str, Fault); 9] = [
        ("chat.startStream", Fault::AnswerLost),
        ("chat.startStream", Fault::ServerError),
        ("chat.startStream", Fault::RateLimited(Span::seconds(7))),
        ("chat.stopStream", Fault::AnswerLost),
        ("chat.stopStream", Fault::ServerError),
        ("chat.stopStream", Fault::RateLimited(Span::seconds(7))),
        ("chat.stopStream", Fault::Code("message_not_in_streaming_state".to_owned())),
        ("agents.sessions.setStatus", Fault::AnswerLost),
        ("agents.sessions.setStatus", Fault::ServerError),
    ];
    for (method, fault) in faults {
        let office = Office::opens().await;
        let (asked, card) = office.asks("mia", INVOICE).await;
        office.world.slack.next_calls(method, [fault.clone()]);
        office.approves("jonas", &card).await;
        office.passes(Span::minutes(7)).await;
        assert_eq!(answers(&office, &asked), 1, "{method} {fault:?}");
        office.closes().await;
    }
}

#[tokio::test]
async fn a_workspace_without_any_of_it_gets_plain_messages() {
    let office = Office::opens().await;
    let off = |code: &str| std::iter::repeat_n(Fault::Code(code.to_owned()), 20);
    office.world.slack.next_calls("chat.startStream", off("not_enabled"));
    office.world.slack.next_calls("agents.sessions.setStatus", off("feature_disabled"));
    for _ in 0..2 {
        let (asked, card) = office.asks("mia", INVOICE).await;
        office.approves("jonas", &card).await;
        assert_eq!(answers(&office, &asked), 1);
    }
    assert_eq!(calls(&office, "chat.startStream"), 1, "it is not tried at every run");
    assert_eq!(calls(&office, "agents.sessions.setStatus"), 1);
    office.closes().await;
}

#[tokio::test]
async fn an_operator_can_leave_it_off() {
    let off = ("default: deny", "default: deny\nstreams: { slack: false }");
    let office = Office::opens_with(&[off]).await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.approves("jonas", &card).await;
    assert_eq!(answers(&office, &asked), 1);
    assert_eq!(calls(&office, "chat.startStream") + calls(&office, "agents.sessions.setStatus"), 0);
    office.closes().await;
}

#[tokio::test]
async fn stop_ends_the_run_and_what_it_asked_for() {
    let office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.person("mia").stops(&asked);
    office.a_moment().await;
    let thread = office.thread("mia", &asked);
    assert!(thread.contains("Stopped. Nothing more is done"), "{thread}");
    let told = office.approves("jonas", &card).await;
    assert!(!told.is_empty(), "it is too late");
    assert_eq!(office.invoices_paid().await, 0);
    let desk = office.database().await;
    let ended = "SELECT count(*) FROM runs WHERE state = 'failed' AND error LIKE '%stopped%'";
    assert_eq!(count(&desk, ended).await, 1);
    desk.close().await;

    // The conversation goes on as if nothing had been asked.
    office.person("mia").replies_in_thread(&asked, "look up order 1042");
    office.a_moment().await;
    assert!(office.thread("mia", &asked).contains("Acme Bakery"));
    office.closes().await;
}

#[tokio::test]
async fn nobody_stops_what_is_done_for_somebody_else() {
    let office = Office::opens().await;
    let asked = office.person("mia").mentions_bot_in("#support", INVOICE);
    office.a_moment().await;
    office.person("lena").stops(&asked);
    office.a_moment().await;
    let notes = office.person("lena").notes();
    assert!(notes.iter().any(|note| note.contains("Only the person who asked")), "{notes:?}");
    let card = office.card("jonas", "#approvals");
    office.approves("jonas", &card).await;
    assert_eq!(office.invoices_paid().await, 1);
    assert_eq!(answers(&office, &asked), 1);
    office.closes().await;
}

#[tokio::test]
async fn a_power_cut_in_the_middle_doubles_nothing() {
    let mut office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.presses("jonas", &card, "Approve").await;
    // The message has begun, and its end does not get through before the power goes.
    let cut = std::iter::repeat_n(Fault::ServerError, 2);
    office.world.slack.next_calls("chat.stopStream", cut);
    office.world.settle().await.unwrap();
    office.loses_power().await;
    office.passes(Span::minutes(7)).await;
    assert_eq!(answers(&office, &asked), 1);
    office.closes().await;
}

/// The operator has enough of growing messages while one grows.
#[tokio::test]
async fn an_answer_that_has_begun_is_told_also_when_nothing_is_shown_any_more() {
    let mut office = Office::opens().await;
    let (asked, card) = office.asks("mia", INVOICE).await;
    office.presses("jonas", &card, "Approve").await;
    let cut = std::iter::repeat_n(Fault::ServerError, 2);
    office.world.slack.next_calls("chat.stopStream", cut);
    office.world.settle().await.unwrap();
    office.world.crash_desk().await;
    let off = "default: deny\nstreams: { slack: false }";
    office.world.edit_configuration("default: deny", off).unwrap();
    office.world.open_desk().await.unwrap();
    office.passes(Span::minutes(7)).await;
    assert_eq!(answers(&office, &asked), 1);
    office.closes().await;
}

const LONG: &str = "pace: 90ms
rules:
  - when: { says: 'tell me' }
    say: One two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen
      sixteen seventeen eighteen nineteen twenty and so on until it is all said.
";

/// On the machine's own time, with all loops going.
#[tokio::test]
async fn words_appear_as_they_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let world = World::found(Setting {
        folder: folder.path(),
        clock: Arc::new(TurnableClock::running()),
        pace: Pace::LikeSlack,
        port: 0,
        edits: &[("script: script.yaml", "script: long.yaml")],
    });
    std::fs::write(folder.path().join("long.yaml"), LONG).unwrap();
    let world = world.await.unwrap();
    let mia = world.slack.person("mia");
    let seen = async move {
        let asked = mia.writes_to_bot("tell me");
        mia.delivers().await;
        let mut texts: Vec<String> = Vec::new();
        let whole = mia.sees_until(|mia| {
            let thread = mia.sees_in_thread(&asked);
            if let Some(growing) = thread.iter().find(|reply| reply.grows) {
                if texts.last() != Some(&growing.text) {
                    texts.push(growing.text.clone());
                }
                assert_eq!(mia.session(&asked).as_deref(), Some("processing"));
            }
            thread.into_iter().find(|reply| reply.text.contains("all said"))
        });
        let whole = tokio::time::timeout(Duration::from_secs(30), whole).await.unwrap();
        assert!(texts.len() >= 3, "{texts:?}");
        for text in &texts {
            assert!(whole.text.starts_with(text.as_str()), "{text} / {}", whole.text);
        }
        mia.sees_until(|mia| (mia.session(&asked).as_deref() == Some("active")).then_some(()))
            .await;
        assert_eq!(mia.sees_in_thread(&asked).len(), 1, "one message, that grew");
    };
    world.run_until(seen).await.unwrap();
}
