//! Deliveries that come once more, byte for byte: events as Slack repeats them, clicks as a proxy
//! or a nervous network may.

use std::sync::{Arc, PoisonError};
use std::time::Duration;

use countersign::sandbox::Passed;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use tokio_util::sync::CancellationToken;

use crate::load::waits;
use crate::outside::Outside;

const EVERY: Duration = Duration::from_millis(1_500);
/// So many of the newest interactions come again each time, answered before or not.
const AT_ONCE: usize = 4;

pub async fn works(outside: Arc<Outside>, stop: CancellationToken) {
    while waits(EVERY, &stop).await {
        if outside.slack.deliver_again().await == Some(200) {
            *outside.events_again.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        }
        let journal = outside.slack.journal();
        let clicks =
            journal.iter().rev().filter(|passed| passed.what == "POST /slack/interactions");
        for click in clicks.take(AT_ONCE) {
            if deliver(&outside, click).await == 200 {
                outside.remember_repeated(click.sent.clone());
            }
        }
    }
}

async fn deliver(outside: &Outside, click: &Passed) -> u16 {
    let payload = click.sent.to_string();
    let body = format!("payload={}", utf8_percent_encode(&payload, NON_ALPHANUMERIC));
    let (timestamp, signature) = outside.slack.sign(&body);
    outside.slack.send_raw("/slack/interactions", &body, Some((&timestamp, &signature))).await
}
