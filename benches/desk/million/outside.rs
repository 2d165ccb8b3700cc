//! Slack and the company, each as little of it as the desk needs, over HTTP. What is posted is
//! counted; the desk keeps Slack's pace by itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::routing::post;
use axum::{Form, Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::office::serve_tool;
use crate::slack::{APP, TEAM};

pub struct Outside {
    pub slack: String,
    pub tool: String,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    posts: AtomicU64,
    by_channel: Mutex<BTreeMap<String, Posts>>,
}

#[derive(Default)]
struct Posts {
    cards: usize,
    in_threads: usize,
    others: Vec<String>,
}

impl Outside {
    pub async fn open() -> Self {
        let seen = Arc::new(Seen::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let slack = listener.local_addr().expect("an address").to_string();
        let router = Router::new().route("/api/{method}", post(answer)).with_state(seen.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { slack, tool: serve_tool().await, seen }
    }

    /// Counts anew.
    pub fn forget(&self) {
        self.seen.by_channel().clear();
    }

    /// A line for each channel, with the words of what was neither a card nor in a thread.
    pub fn print_posts(&self) {
        for (channel, posts) in self.seen.by_channel().iter() {
            let Posts { cards, in_threads, others } = posts;
            println!(
                "    posted in {channel}: {cards} cards, {in_threads} in threads, {} others",
                others.len()
            );
            others.iter().for_each(|text| println!("      “{text}”"));
        }
    }
}

impl Seen {
    fn by_channel(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Posts>> {
        self.by_channel.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn posted(&self, arguments: &BTreeMap<String, String>) -> Value {
        let argument = |name: &str| arguments.get(name).cloned().unwrap_or_default();
        let channel = argument("channel");
        let mut by_channel = self.by_channel();
        let posts = by_channel.entry(channel.clone()).or_default();
        if !argument("thread_ts").is_empty() {
            posts.in_threads += 1;
        } else if argument("blocks").contains(r#""style":"primary""#) {
            posts.cards += 1;
        } else {
            posts.others.push(argument("text"));
        }
        let ts = format!("1789390000.{:06}", self.posts.fetch_add(1, Ordering::Relaxed));
        json!({ "channel": channel, "ts": ts })
    }
}

async fn answer(
    State(seen): State<Arc<Seen>>,
    Path(method): Path<String>,
    Form(arguments): Form<BTreeMap<String, String>>,
) -> Json<Value> {
    let mut answer = match method.as_str() {
        "auth.test" => json!({
            "team_id": TEAM, "team": "Acme", "user_id": "U0BOTUSER1", "bot_id": "B0BOTPROF1",
            "app_id": APP,
        }),
        "users.info" => json!({ "user": {
            "id": arguments.get("user"), "team_id": TEAM, "deleted": false, "is_bot": false,
            "is_restricted": false, "profile": { "display_name": "Somebody" },
        }}),
        "conversations.info" => json!({ "channel": { "id": arguments.get("channel") } }),
        "chat.postMessage" => seen.posted(&arguments),
        _ => json!({}),
    };
    answer["ok"] = json!(true);
    Json(answer)
}
