//! I17: no secret is in anything that people, logs or files get to see.

use crate::office::{INVOICE, Office, REFUND};

#[tokio::test]
async fn neither_messages_nor_the_database_nor_the_export_hold_a_secret() {
    let office = Office::opens().await;
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
        for secret in ["the-demo-signs-with-this", "xoxb-demo"] {
            assert!(!text.contains(secret), "{what} holds {secret}");
        }
    }
    office.closes().await;
}
