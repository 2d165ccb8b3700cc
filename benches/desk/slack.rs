//! A Slack that answers at once, and hands what it was told to post to whoever waits for it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use countersign::slack::client::{Answer, Method, ResponseUrl, SlackApi, SlackError};
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tokio::sync::oneshot;

pub const TEAM: &str = "T0WRKSPC01";
pub const APP: &str = "A0APPROVE1";
const BOT: &str = "U0BOTUSER1";

/// A card in the approvers' channel, as its approver sees it.
#[derive(Debug)]
pub struct Card {
    pub channel: String,
    pub ts: String,
    pub blocks: Value,
    pub approve: Value,
}

/// The stand-in. Conversations are told apart by a charge number: it is in the message, in the
/// card and in the agent's last word.
#[derive(Default)]
pub struct QuickSlack {
    posts: AtomicU64,
    cards: Waiting<Card>,
    replies: Waiting<()>,
}

impl QuickSlack {
    /// The card that asks about a charge.
    pub fn card(&self, charge: &str) -> oneshot::Receiver<Card> {
        self.cards.expect(charge)
    }

    /// The agent's last word about a charge.
    pub fn reply(&self, charge: &str) -> oneshot::Receiver<()> {
        self.replies.expect(charge)
    }

    fn answer(&self, method: Method, arguments: Value) -> Value {
        match method {
            Method::AuthTest => json!({
                "team_id": TEAM, "team": "Acme", "user_id": BOT, "bot_id": "B0BOTPROF1",
                "app_id": APP,
            }),
            Method::UsersInfo => json!({ "user": {
                "id": arguments["user"], "team_id": TEAM, "deleted": false, "is_bot": false,
                "is_restricted": false, "profile": { "display_name": "Somebody" },
            }}),
            Method::ConversationsInfo => json!({ "channel": { "id": arguments["channel"] } }),
            Method::ChatPostMessage => self.post(arguments),
            _ => json!({}),
        }
    }

    fn post(&self, mut arguments: Value) -> Value {
        let ts = format!("1789380000.{:06}", self.posts.fetch_add(1, Ordering::Relaxed));
        let channel = arguments["channel"].as_str().unwrap_or_default().to_owned();
        let posted = json!({ "channel": channel, "ts": ts });
        let blocks = arguments["blocks"].take();
        if arguments["thread_ts"].is_null() {
            if let (Some(approve), Some(charge)) = (approve_button(&blocks), charge_in(&blocks)) {
                self.cards.give(&charge, Card { channel, ts, blocks, approve });
            }
        } else if arguments["text"].as_str().is_some_and(|text| text.contains("Refunded")) {
            let charge = charge_in(&arguments["text"]).expect("the last word names the charge");
            self.replies.give(&charge, ());
        }
        posted
    }
}

impl SlackApi for QuickSlack {
    fn call<'a>(
        &'a self,
        method: Method,
        arguments: Value,
    ) -> BoxFuture<'a, Result<Answer, SlackError>> {
        let body = self.answer(method, arguments);
        Box::pin(std::future::ready(Ok(Answer { body, scopes: None, date: None })))
    }

    fn respond<'a>(
        &'a self,
        _: &'a ResponseUrl,
        body: Value,
    ) -> BoxFuture<'a, Result<(), SlackError>> {
        panic!("nobody should be refused here, but somebody was told {body}");
    }
}

/// Who waits for what, by charge.
struct Waiting<T>(Mutex<HashMap<String, oneshot::Sender<T>>>);

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Waiting<T> {
    fn expect(&self, charge: &str) -> oneshot::Receiver<T> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(charge.to_owned(), sender);
        receiver
    }

    fn give(&self, charge: &str, news: T) {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(charge);
        if let Some(waiting) = waiting {
            // Nobody may wait any more when a measurement was cut short.
            let _ = waiting.send(news);
        }
    }
}

fn approve_button(blocks: &Value) -> Option<Value> {
    let actions = blocks.as_array()?.iter().find(|block| block["type"] == "actions")?;
    let button = actions["elements"].as_array()?.iter().find(|it| it["style"] == "primary")?;
    let mut button = button.clone();
    // Slack names the blocks that came without a name.
    button["block_id"] = json!("b1");
    Some(button)
}

/// The first `CHG_` and six digits in the texts of a message.
fn charge_in(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => {
            let at = text.find("CHG_")?;
            text.get(at..at + "CHG_000000".len()).map(str::to_owned)
        }
        Value::Array(all) => all.iter().find_map(charge_in),
        Value::Object(fields) => fields.values().find_map(charge_in),
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
    }
}
