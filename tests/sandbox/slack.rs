//! A sandbox with a standing clock, and a client that knows nothing of the bot's own.

use std::sync::Arc;

use countersign::base::{Timestamp, TurnableClock};
use countersign::sandbox::{Cast, Pace, Sandbox, SandboxHandle, SandboxSettings};
use reqwest::header::HeaderMap;
use serde_json::Value;

pub(super) struct Slack {
    pub(super) sandbox: SandboxHandle,
    pub(super) clock: Arc<TurnableClock>,
    client: reqwest::Client,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) body: Value,
    headers: HeaderMap,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }
}

/// The error code of an answer; empty if there is none.
pub(super) fn code(body: &Value) -> &str {
    body["error"].as_str().unwrap_or_default()
}

impl Slack {
    #[expect(clippy::disallowed_methods, reason = "the test is the outside world")]
    pub(super) async fn start(pace: Pace) -> Self {
        let clock = Arc::new(TurnableClock::standing_at(Timestamp::from_millis(1_789_380_000_000)));
        let sandbox = Sandbox::start(SandboxSettings {
            port: 0,
            signing_secret: "secret".to_owned(),
            bot_token: "xoxb-test".to_owned(),
            clock: clock.clone(),
            cast: Cast::acme(),
            pace,
        });
        let sandbox = sandbox.await.expect("the sandbox starts");
        let client = reqwest::Client::builder().no_proxy().build().expect("a client can be made");
        Self { sandbox, clock, client }
    }

    pub(super) async fn form(&self, method: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.post(method).bearer_auth("xoxb-test");
        answer(if fields.is_empty() { request } else { request.form(fields) }).await
    }

    pub(super) async fn raw(&self, method: &str, kind: &str, body: &str) -> Answer {
        let request = self.post(method).bearer_auth("xoxb-test").body(body.to_owned());
        answer(if kind.is_empty() { request } else { request.header("content-type", kind) }).await
    }

    /// A form without a token in the header.
    pub(super) async fn anonymous(&self, method: &str, form: &str) -> Answer {
        let kind = "application/x-www-form-urlencoded";
        answer(self.post(method).header("content-type", kind).body(form.to_owned())).await
    }

    /// Posts a card, lets Mia press its button, and gives the trigger of her click.
    pub(super) async fn trigger(&self) -> String {
        let blocks = r#"[{"type":"actions","elements":[{"type":"button","action_id":"a",
            "text":{"type":"plain_text","text":"Go"}}]}]"#;
        let fields = [("channel", "C0SUPPORT1"), ("text", "x"), ("blocks", blocks)];
        self.form("chat.postMessage", &fields).await;
        let mia = self.sandbox.person("mia");
        let card = mia.newest_card("#support").expect("the card was posted");
        mia.clicks(&card, "Go").await;
        let journal = self.sandbox.journal();
        let click = journal.last().expect("the click was sent");
        click.sent["trigger_id"].as_str().expect("a click has a trigger").to_owned()
    }

    fn post(&self, method: &str) -> reqwest::RequestBuilder {
        self.client.post(format!("{}/api/{method}", self.sandbox.url()))
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let answer = request.send().await.expect("the sandbox answers");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let body = answer.json().await.expect("it answers in JSON");
    Answer { status, body, headers }
}
