//! The gate to the outside: a model and the company behind it. Whatever the desk asks of them is
//! written down as it arrives, and at one exchange the gate holds still until the desk is killed.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use countersign::demo::Company;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;

/// When the gate holds still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hold {
    /// The nth exchange has arrived and nothing has come of it.
    Arrived(usize),
    /// Its effect is there and its answer is not.
    Done(usize),
    /// The first refund is paid and its answer is lost. Nothing is held still.
    RefundUnanswered,
}

#[derive(Default)]
pub struct Gate {
    exchanges: Mutex<Vec<String>>,
    /// How many answers of its own the model was shown each time.
    answers: Mutex<Vec<usize>>,
    hold: Mutex<Option<Hold>>,
    pub holding: Notify,
}

impl Gate {
    /// Opens on a port of its own. Gives back its address.
    pub async fn open(books: &Path, hold: Option<Hold>) -> anyhow::Result<(Arc<Self>, String)> {
        let gate = Arc::new(Self { hold: Mutex::new(hold), ..Self::default() });
        let router = Router::new()
            .route("/v1/chat/completions", post(complete))
            .with_state(gate.clone())
            .merge(Company::open(books).await?.router())
            .layer(from_fn_with_state(gate.clone(), pass));
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((gate, address))
    }

    /// Everything that was asked, in order.
    pub fn exchanges(&self) -> Vec<String> {
        self.exchanges.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Which of its answers the model was asked for, in order.
    pub fn answers(&self) -> Vec<usize> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn arrives(&self, what: String) -> usize {
        let mut exchanges = self.exchanges.lock().unwrap_or_else(PoisonError::into_inner);
        exchanges.push(what);
        exchanges.len() - 1
    }

    /// Whether it is held here; that happens once.
    fn is_held(&self, at: Hold) -> bool {
        let mut hold = self.hold.lock().unwrap_or_else(PoisonError::into_inner);
        let held = *hold == Some(at);
        if held {
            *hold = None;
        }
        held
    }

    async fn hold_still(&self) {
        self.holding.notify_one();
        std::future::pending::<()>().await;
    }
}

async fn pass(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let what = format!("{} {}", request.method(), request.uri().path());
    let refunds = what == "POST /refunds";
    let nth = gate.arrives(what);
    if gate.is_held(Hold::Arrived(nth)) {
        gate.hold_still().await;
    }
    let response = next.run(request).await;
    if gate.is_held(Hold::Done(nth)) {
        gate.hold_still().await;
    }
    if refunds && gate.is_held(Hold::RefundUnanswered) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    response
}

/// A model that looks the order up, proposes a refund, and a deletion if sessions were spoken of,
/// and says when it is done; each from the conversation it is shown, like any model.
async fn complete(State(gate): State<Arc<Gate>>, body: Bytes) -> Response {
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    let messages = asked["messages"].as_array().cloned().unwrap_or_default();
    let turns = messages.iter().filter(|message| message["role"] == "assistant").count();
    gate.answers.lock().unwrap_or_else(PoisonError::into_inner).push(turns);
    let call = |index: usize, part: &str, arguments: Value| {
        let tools = asked["tools"].as_array().cloned().unwrap_or_default();
        let names = tools.iter().filter_map(|tool| tool["function"]["name"].as_str());
        let name =
            names.into_iter().find(|name| name.contains(part)).unwrap_or_default().to_owned();
        let function = json!({ "name": name, "arguments": arguments.to_string() });
        let id = format!("call_{turns}_{index}");
        let call = json!({ "index": index, "id": id, "type": "function", "function": function });
        json!({ "role": "assistant", "tool_calls": [call] })
    };
    let (deltas, why) = match turns {
        0 => (vec![call(0, "lookup", json!({ "order": "1042" }))], "tool_calls"),
        1 => {
            let refund = json!({ "charge": "ch_1042", "amount": 640, "currency": "EUR" });
            let deletion = json!({
                "database": "prod-orders", "older_than": "2025-01-01", "estimated_rows": 18412,
            });
            let mut both = vec![call(0, "refund", refund)];
            if messages.iter().any(is_about_sessions) {
                both.push(call(1, "delete", deletion));
            }
            (both, "tool_calls")
        }
        _ => (vec![json!({ "role": "assistant", "content": "The refund is on its way." })], "stop"),
    };
    let chunk = |choices: Value| {
        let chunk = json!({
            "id": "chunk", "object": "chat.completion.chunk", "created": 0, "model": "gate",
            "choices": choices,
        });
        format!("data: {chunk}\n\n")
    };
    let says = |delta: Value| chunk(json!([{ "index": 0, "delta": delta, "finish_reason": null }]));
    let mut told: Vec<String> = deltas.into_iter().map(says).collect();
    told.push(chunk(json!([{ "index": 0, "delta": {}, "finish_reason": why }])));
    told.push("data: [DONE]\n\n".to_owned());
    ([(header::CONTENT_TYPE, "text/event-stream")], told.concat()).into_response()
}

fn is_about_sessions(message: &Value) -> bool {
    message["role"] == "user" && message.to_string().contains("sessions")
}
