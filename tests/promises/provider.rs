//! A stand-in for a provider of language models, on the wire: it says what it is told to say, as an
//! OpenAI stream, and keeps what it was sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Response;
use serde_json::{Value, json};
use tokio::net::TcpListener;

pub struct Provider {
    url: String,
    desk: Arc<Side>,
}

#[derive(Default)]
struct Side {
    says: Mutex<VecDeque<Says>>,
    journal: Mutex<Vec<Value>>,
}

/// One answer.
pub enum Says {
    /// Text and tool calls: the tool's name on the wire, and the exact arguments.
    Reply(&'static str, &'static [(&'static str, &'static str)]),
    /// A status, and how many seconds to wait.
    Status(u16, Option<u32>),
    /// The answer breaks off after this text and the beginning of a call.
    Cut(&'static str),
    /// The answer ends for this reason.
    Ends(&'static str),
}

impl Provider {
    pub async fn opens(says: impl IntoIterator<Item = Says>) -> Self {
        let says = Mutex::new(says.into_iter().collect());
        let desk = Arc::new(Side { says, ..Side::default() });
        let router = Router::new().fallback(answer).with_state(desk.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, desk }
    }

    /// Stands in the demo's configuration in place of the script; `more` goes into the same entry.
    pub fn model(&self, more: &str) -> String {
        format!("{{ provider: openai, model: test, base_url: \"{}\"{more} }}", self.url)
    }

    /// What it was sent, in order.
    pub fn journal(&self) -> Vec<Value> {
        self.desk.journal.lock().unwrap().clone()
    }
}

/// The entry of the demo's configuration that a [`Provider`] takes the place of.
pub const SCRIPT: &str = "{ provider: script, script: script.yaml }";

async fn answer(State(desk): State<Arc<Side>>, body: Bytes) -> Response<Body> {
    desk.journal.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
    let says = desk.says.lock().unwrap().pop_front().expect("it was asked once too often");
    let stream = |events: Vec<String>| {
        let events: String = events.iter().map(|event| format!("data: {event}\n\n")).collect();
        Response::builder().header("content-type", "text/event-stream").body(Body::from(events))
    };
    match says {
        Says::Reply(text, calls) => {
            let mut events = vec![delta(&json!({ "content": text }))];
            for (index, (name, arguments)) in calls.iter().enumerate() {
                let function = json!({ "name": name, "arguments": arguments });
                let id = format!("call_{}", index + 1);
                events.push(delta(&json!({ "tool_calls": [
                    { "index": index, "id": id, "type": "function", "function": function },
                ] })));
            }
            events.extend(end(if calls.is_empty() { "stop" } else { "tool_calls" }));
            stream(events)
        }
        Says::Cut(text) => stream(vec![
            delta(&json!({ "content": text })),
            delta(&json!({ "tool_calls": [{ "index": 0, "id": "call_cut", "type": "function",
                "function": { "name": "payments__refund", "arguments": "{\"charge\": \"ch_1\"" } }] })),
        ]),
        Says::Ends(reason) => {
            let mut events = vec![delta(&json!({ "content": "As I was saying" }))];
            events.extend(end(reason));
            stream(events)
        }
        Says::Status(status, wait) => {
            let response = Response::builder().status(status);
            let response = match wait {
                Some(seconds) => response.header("retry-after", seconds),
                None => response,
            };
            response.body(Body::empty())
        }
    }
    .unwrap()
}

fn delta(delta: &Value) -> String {
    json!({ "choices": [{ "delta": delta, "finish_reason": null }] }).to_string()
}

/// Sixty tokens, whatever was said.
fn end(reason: &str) -> [String; 3] {
    let usage = json!({ "prompt_tokens": 40, "completion_tokens": 20 });
    [
        json!({ "choices": [{ "delta": {}, "finish_reason": reason }] }).to_string(),
        json!({ "choices": [], "usage": usage }).to_string(),
        "[DONE]".to_owned(),
    ]
}
