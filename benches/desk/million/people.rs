//! People who click, each one card after the other.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use serde_json::json;

use crate::office::{click as payload, sign};
use crate::slack::Card;
use crate::times::{Times, now};

pub const PEOPLE: usize = 8;
/// How long somebody looks before they click.
const PAUSE: Duration = Duration::from_millis(800);

/// A button on a card, as its row has it.
pub struct Button {
    pub token: String,
    pub channel: String,
    pub ts: String,
}

/// What was clicked while something else happened.
pub struct Meanwhile {
    pub times: Times,
    pub clicks: usize,
    pub left: Vec<String>,
}

/// The presses, ready to be sent.
pub fn bodies(buttons: Vec<Button>) -> Vec<String> {
    let pressed = |(nth, button): (usize, Button)| {
        let Button { token, channel, ts } = button;
        let approve = json!({
            "action_id": "approve", "block_id": "b1", "value": token,
            "text": { "type": "plain_text", "text": "Approve" },
        });
        let card = Card { channel, ts, blocks: json!([]), approve };
        payload(&card).replace("U0JONAS001", &format!("U0PERSON{:02}", nth % PEOPLE))
    };
    buttons.into_iter().enumerate().map(pressed).collect()
}

/// All of them, by so many people at once who lose no time.
pub async fn click(client: &reqwest::Client, url: &str, bodies: Vec<String>) -> Times {
    let desk = Desk { client: client.clone(), url: url.to_owned() };
    everybody(&desk, &Arc::new(bodies), &Arc::default(), Duration::ZERO).await
}

/// As many as are sent at a human pace until something has happened.
pub async fn click_during<T>(
    client: &reqwest::Client,
    url: &str,
    bodies: Vec<String>,
    event: impl Future<Output = T>,
) -> (T, Meanwhile) {
    let desk = Desk { client: client.clone(), url: url.to_owned() };
    let (bodies, next) = (Arc::new(bodies), Arc::new(AtomicUsize::new(0)));
    let happens = async {
        let happened = event.await;
        // Nobody begins another one; what is under way is still timed.
        (happened, next.fetch_add(bodies.len(), Ordering::Relaxed).min(bodies.len()))
    };
    let clicking = everybody(&desk, &bodies, &next, PAUSE);
    let ((happened, clicks), times) = futures::join!(happens, clicking);
    (happened, Meanwhile { times, clicks, left: bodies[clicks..].to_vec() })
}

#[derive(Clone)]
struct Desk {
    client: reqwest::Client,
    url: String,
}

async fn everybody(
    desk: &Desk,
    bodies: &Arc<Vec<String>>,
    next: &Arc<AtomicUsize>,
    pause: Duration,
) -> Times {
    let clicking = (0..PEOPLE).map(|_| {
        let (desk, bodies, next) = (desk.clone(), bodies.clone(), next.clone());
        tokio::spawn(async move {
            let mut times = Vec::new();
            while let Some(body) = bodies.get(next.fetch_add(1, Ordering::Relaxed)) {
                times.push(send(&desk.client, &desk.url, body.clone()).await);
                tokio::time::sleep(pause).await;
            }
            times
        })
    });
    let done = join_all(clicking).await.into_iter();
    done.flat_map(|times| times.expect("nobody panics")).collect()
}

async fn send(client: &reqwest::Client, url: &str, body: String) -> Duration {
    let (timestamp, signature) = sign(&body);
    let start = now();
    let answer = client
        .post(format!("{url}/slack/interactions"))
        .header("content-type", "application/x-www-form-urlencoded")
        .header("x-slack-request-timestamp", timestamp)
        .header("x-slack-signature", signature)
        .body(body)
        .send()
        .await
        .expect("an answer");
    assert!(answer.status().is_success(), "{}", answer.status());
    start.elapsed()
}

#[expect(clippy::disallowed_methods, reason = "a bench is its own client")]
pub fn client() -> reqwest::Client {
    reqwest::Client::new()
}
