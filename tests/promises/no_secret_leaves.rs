//! I17: no secret is in anything that people, logs or files get to see.

use countersign::base::Span;
use countersign::demo::{API_KEY, SECOND_API_KEY};
use countersign::sandbox::Fault;

use crate::caller::asking;
use crate::log::Log;
use crate::office::{INVOICE, Office, REFUND};

/// What the desk signs with, what it calls Slack with, what callers show it, and what it shows a tool.
const SECRETS: [&str; 4] = ["the-demo-signs-with-this", "xoxb-demo", API_KEY, SECOND_API_KEY];

/// The tools that pay show a secret of their own, and one of them is not there any more.
const CREDENTIALS: [(&str, &str); 2] = [
    (
        "/refunds\", body: args,",
        "/refunds\", body: args, credential: { name: bank, secret: \"${DEMO_SECOND_API_KEY}\" },",
    ),
    (
        "/pay\"\n      body: args",
        "/pay/nowhere\"\n      body: args\n      \
         credential: { name: bank, secret: \"${DEMO_SECOND_API_KEY}\" }",
    ),
];

#[tokio::test]
async fn neither_messages_nor_the_database_nor_the_export_hold_a_secret() {
    let office = Office::opens_with(&CREDENTIALS).await;
    let (_, card) = office.asks("mia", REFUND).await;
    office.approves("jonas", &card).await;
    let (_, card) = office.asks("mia", INVOICE).await;
    office.rejects("jonas", &card).await;
    office.person("mia").opens_home();
    office.a_moment().await;

    let mut seen = Vec::new();
    for passed in office.world.slack.journal() {
        seen.push(("a message", format!("{} {}", passed.sent, passed.answer)));
    }
    let mut export = Vec::new();
    let store = &office.world.app().unwrap().desk.store;
    countersign::audit::export(store, &mut export).await.unwrap();
    seen.push(("the export", String::from_utf8(export).unwrap()));
    seen.push(("the database", office.everything_stored().await));
    seen.push(("the configuration", format!("{:?}", office.world.config().unwrap())));
    for (what, text) in seen {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{what} holds {secret}");
        }
    }
    office.closes().await;
}

/// Slack refuses, a tool fails, a caller errs: what the desk says of that is read to the finest line.
#[tokio::test]
async fn neither_the_log_nor_streams_nor_refusals_hold_a_secret() {
    let (log, _listening) = Log::listens();
    let office = Office::opens_with(&CREDENTIALS).await;
    let mut seen = Vec::new();

    let revoked = vec![Fault::Code("token_revoked".to_owned()); 7];
    office.world.slack.next_calls("chat.postMessage", revoked);
    office.world.slack.next_calls("chat.update", vec![Fault::ServerError]);
    for ask in [REFUND, INVOICE] {
        let mut stream = asking(ask).post(&office).await;
        office.a_moment().await;
        office.passes(Span::minutes(5)).await;
        let mut frames = stream.until("approval_requested").await;
        let card = office.card("jonas", "#approvals");
        office.approves("jonas", &card).await;
        frames.extend(stream.rest().await);
        seen.push(("a stream", stream.head.clone()));
        seen.extend(frames.into_iter().map(|frame| ("a stream", frame.text)));
    }

    assert_eq!((office.refunds().await, office.invoices_paid().await), (1, 0));

    for (status, erring) in [
        (401, asking(INVOICE).key("xoxb-guess")),
        (403, asking(INVOICE).with("agent", "nobody")),
        (422, asking(INVOICE).with("thread_id", 5)),
    ] {
        let answer = erring.post(&office).await;
        assert_eq!(answer.status, status);
        seen.push(("a refusal", format!("{} {}", answer.head.clone(), answer.json().await)));
    }
    let click = office.world.slack.send_raw("/slack/interactions", "payload=1", None).await;
    assert_eq!(click, 401);

    let log = log.text();
    for told in ["connected to Slack", "TRACE", "token_revoked"] {
        assert!(log.contains(told), "the log was not heard: no {told}");
    }
    seen.push(("the log", log));
    for (what, text) in seen {
        for secret in SECRETS {
            assert!(!text.contains(secret), "{what} holds {secret}");
        }
    }
    office.closes().await;
}
