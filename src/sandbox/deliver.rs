//! Deliveries to the bot: really signed, over the exact bytes that are sent.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use sha2::Sha256;

use crate::base::{Clock, TurnableClock};

/// Slack waits this long for an answer.
const DEADLINE: Duration = Duration::from_secs(3);

/// Slack follows so many redirects.
const REDIRECTS: usize = 2;

/// What the bot answered; status zero stands for no answer at all.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    /// Slack's word for what went wrong; none if nothing did.
    pub(super) failure: Option<&'static str>,
    /// The bot does not want this event again.
    pub(super) no_retry: bool,
}

/// The way to the bot.
#[derive(Clone)]
pub(super) struct Post {
    secret: Arc<str>,
    clock: Arc<TurnableClock>,
    client: reqwest::Client,
    bot_url: Arc<Mutex<String>>,
}

impl Post {
    #[expect(clippy::disallowed_methods, reason = "the stand-in is the outside world")]
    pub(super) fn new(secret: String, clock: Arc<TurnableClock>) -> std::io::Result<Self> {
        let client = reqwest::Client::builder()
            .no_proxy()
            .timeout(DEADLINE)
            .redirect(reqwest::redirect::Policy::limited(REDIRECTS))
            .build()
            .map_err(std::io::Error::other)?;
        Ok(Self { secret: secret.into(), clock, client, bot_url: Arc::default() })
    }

    pub(super) fn set_bot_url(&self, url: &str) {
        *self.bot_url.lock().unwrap_or_else(PoisonError::into_inner) = url.to_owned();
    }

    /// Timestamp and signature for a body.
    pub(super) fn sign(&self, body: &[u8]) -> (String, String) {
        let timestamp = self.clock.now().as_seconds().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_bytes())
            .expect("HMAC takes a key of any length");
        mac.update(format!("v0:{timestamp}:").as_bytes());
        mac.update(body);
        (timestamp, format!("v0={}", hex::encode(mac.finalize().into_bytes())))
    }

    /// A JSON body: an event.
    pub(super) async fn json(
        &self,
        path: &str,
        body: &Value,
        headers: &[(&'static str, String)],
    ) -> Answer {
        self.send(self.address(path), body.to_string(), "application/json", headers).await
    }

    /// The same to somebody who is not the bot yet.
    pub(super) async fn json_to(&self, base: &str, path: &str, body: &Value) -> Answer {
        self.send(format!("{base}{path}"), body.to_string(), "application/json", &[]).await
    }

    /// A form with one `payload`: an interaction.
    pub(super) async fn payload(&self, path: &str, payload: &Value) -> (u16, Value) {
        self.form(path, &[("payload", payload.to_string())]).await
    }

    pub(super) async fn form(&self, path: &str, fields: &[(&str, String)]) -> (u16, Value) {
        let encode = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let body: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let kind = "application/x-www-form-urlencoded";
        let answer = self.send(self.address(path), body.join("&"), kind, &[]).await;
        (answer.status, answer.body)
    }

    async fn send(
        &self,
        address: String,
        body: String,
        content_type: &str,
        headers: &[(&'static str, String)],
    ) -> Answer {
        let (timestamp, signature) = self.sign(body.as_bytes());
        let mut request = self
            .client
            .post(address)
            .header("content-type", content_type)
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", signature)
            .body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        match request.send().await {
            Ok(answer) => read(answer).await,
            Err(error) => lost(&error),
        }
    }

    pub(super) async fn raw(&self, path: &str, body: &str, signed: Option<(&str, &str)>) -> u16 {
        let kind = if body.starts_with('{') {
            "application/json"
        } else {
            "application/x-www-form-urlencoded"
        };
        let mut request =
            self.client.post(self.address(path)).header("content-type", kind).body(body.to_owned());
        if let Some((timestamp, signature)) = signed {
            request = request
                .header("x-slack-request-timestamp", timestamp)
                .header("x-slack-signature", signature);
        }
        request.send().await.map_or(0, |answer| answer.status().as_u16())
    }

    fn address(&self, path: &str) -> String {
        format!("{}{path}", self.bot_url.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn read(answer: reqwest::Response) -> Answer {
    let status = answer.status();
    let no_retry = answer.headers().get("x-slack-no-retry").is_some_and(|value| value == "1");
    match answer.text().await {
        Ok(text) => Answer {
            status: status.as_u16(),
            body: serde_json::from_str(&text).unwrap_or(Value::String(text)),
            failure: (!status.is_success()).then_some("http_error"),
            no_retry,
        },
        Err(error) => lost(&error),
    }
}

fn lost(error: &reqwest::Error) -> Answer {
    let failure = match () {
        () if error.is_timeout() => "http_timeout",
        () if error.is_redirect() => "too_many_redirects",
        () if error.is_connect() => "connection_failed",
        () => "unknown_error",
    };
    Answer { status: 0, body: Value::Null, failure: Some(failure), no_retry: false }
}
