//! Events that the bot does not take come again, on Slack's timetable and with Slack's headers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use countersign::base::Span;
use countersign::sandbox::Pace;
use tokio::net::TcpListener;

use super::slack::Slack;

/// How the bot takes events.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Well,
    Fails,
    FailsForGood,
    Dawdles,
}

/// One delivery: number and reason of the retry, timestamp, signature, body.
type Delivery = (String, String, String, String, Bytes);

#[derive(Clone)]
struct Bot {
    manner: Arc<Mutex<Manner>>,
    got: Arc<Mutex<Vec<Delivery>>>,
}

impl Bot {
    async fn start(slack: &Slack, manner: Manner) -> Self {
        let bot = Self { manner: Arc::new(Mutex::new(manner)), got: Arc::default() };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it has an address");
        let router = Router::new().route("/slack/events", post(take)).with_state(bot.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        slack.sandbox.set_bot_url(&format!("http://{address}"));
        bot
    }

    fn got(&self) -> Vec<Delivery> {
        self.got.lock().expect("nobody panicked").clone()
    }

    fn retries(&self) -> Vec<(String, String)> {
        self.got().into_iter().map(|(num, reason, ..)| (num, reason)).collect()
    }
}

async fn take(State(bot): State<Bot>, headers: HeaderMap, body: Bytes) -> Response {
    let header = |name: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.unwrap_or_default().to_owned()
    };
    let delivery = (
        header("x-slack-retry-num"),
        header("x-slack-retry-reason"),
        header("x-slack-request-timestamp"),
        header("x-slack-signature"),
        body,
    );
    bot.got.lock().expect("nobody panicked").push(delivery);
    let manner = *bot.manner.lock().expect("nobody panicked");
    match manner {
        Manner::Well => StatusCode::OK.into_response(),
        Manner::Fails => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Manner::FailsForGood => {
            (StatusCode::INTERNAL_SERVER_ERROR, [("x-slack-no-retry", "1")]).into_response()
        }
        Manner::Dawdles => {
            tokio::time::sleep(Duration::from_secs(5)).await;
            StatusCode::OK.into_response()
        }
    }
}

fn pair(num: &str, reason: &str) -> (String, String) {
    (num.to_owned(), reason.to_owned())
}

#[tokio::test]
async fn a_failed_event_comes_again_at_once_after_a_minute_and_after_five() {
    let slack = Slack::start(Pace::Unlimited).await;
    let bot = Bot::start(&slack, Manner::Fails).await;
    slack.sandbox.person("mia").writes_to_bot("hello");
    assert_eq!(slack.sandbox.deliver_due().await, 2, "once, and again at once");
    for (wait, count) in [
        (Span::seconds(59), 2),
        (Span::seconds(1), 3),
        (Span::seconds(299), 3),
        (Span::seconds(1), 4),
        (Span::minutes(60), 4),
    ] {
        slack.clock.turn_forward(wait);
        slack.sandbox.deliver_due().await;
        assert_eq!(bot.got().len(), count, "after {wait} more");
    }
    let fails = "http_error";
    assert_eq!(bot.retries(), [pair("", ""), pair("1", fails), pair("2", fails), pair("3", fails)]);
    let got = bot.got();
    assert!(got.iter().all(|delivery| delivery.4 == got[0].4), "the same body each time");
    assert_ne!(got[0].2, got[3].2, "a fresh timestamp");
    assert_ne!(got[0].3, got[3].3, "and so a fresh signature");
}

#[tokio::test]
async fn an_event_that_was_taken_does_not_come_again() {
    let slack = Slack::start(Pace::Unlimited).await;
    let bot = Bot::start(&slack, Manner::Well).await;
    slack.sandbox.person("mia").writes_to_bot("hello");
    slack.sandbox.deliver_due().await;
    slack.clock.turn_forward(Span::minutes(60));
    assert_eq!(slack.sandbox.deliver_due().await, 0);
    assert_eq!(bot.retries(), [pair("", "")]);
}

#[tokio::test]
async fn a_bot_can_refuse_retries() {
    let slack = Slack::start(Pace::Unlimited).await;
    let bot = Bot::start(&slack, Manner::FailsForGood).await;
    slack.sandbox.person("mia").writes_to_bot("hello");
    assert_eq!(slack.sandbox.deliver_due().await, 1);
    assert_eq!(bot.retries(), [pair("", "")]);
}

#[tokio::test]
async fn a_retry_says_what_went_wrong() {
    let slack = Slack::start(Pace::Unlimited).await;
    let gone = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = gone.local_addr().unwrap();
    drop(gone);
    slack.sandbox.set_bot_url(&format!("http://{address}"));
    slack.sandbox.person("mia").writes_to_bot("hello");
    slack.sandbox.deliver_due().await;

    let bot = Bot::start(&slack, Manner::Dawdles).await;
    slack.clock.turn_forward(Span::minutes(1));
    slack.sandbox.deliver_due().await;
    *bot.manner.lock().unwrap() = Manner::Well;
    slack.clock.turn_forward(Span::minutes(5));
    slack.sandbox.deliver_due().await;
    assert_eq!(bot.retries(), [pair("2", "connection_failed"), pair("3", "http_timeout")]);
}
