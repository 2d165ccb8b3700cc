//! The page: what it shows, and what people do in it.
//!
//! Only for this machine: a request that names another host or comes from another origin is
//! refused, so that no web page can press buttons here.

use std::convert::Infallible;

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::Stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::cast::{BOT_USER, Channel, Kind};
use super::server::Inner;
use super::workspace::{Message, Workspace};
use super::{people, presses};
use crate::base::{Clock, Span, Timestamp};

const CSP: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Inner> {
    Router::new()
        .route("/", get(|| file("text/html; charset=utf-8", include_str!("page/index.html"))))
        .route("/sandbox/style.css", get(|| file("text/css", include_str!("page/style.css"))))
        .route("/sandbox/app.js", get(|| file("text/javascript", include_str!("page/app.js"))))
        .route(
            "/sandbox/blocks.js",
            get(|| file("text/javascript", include_str!("page/blocks.js"))),
        )
        .route(
            "/sandbox/dialogs.js",
            get(|| file("text/javascript", include_str!("page/dialogs.js"))),
        )
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
        .route("/sandbox/state", get(state))
        .route("/sandbox/events", get(changes))
        .route("/sandbox/write", post(write))
        .route("/sandbox/click", post(click))
        .route("/sandbox/submit", post(submit))
        .route("/sandbox/close", post(close))
        .route("/sandbox/home", post(home))
        .route("/sandbox/stop", post(stop))
        .route("/sandbox/clock", post(clock))
        .layer(middleware::from_fn(only_here))
}

async fn file(kind: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, CSP)], text).into_response()
}

async fn only_here(headers: HeaderMap, request: axum::extract::Request, next: Next) -> Response {
    let text = |name| headers.get(name).and_then(|value: &header::HeaderValue| value.to_str().ok());
    let host = text(header::HOST).unwrap_or_default();
    let local = host.starts_with("127.0.0.1:") || host.starts_with("localhost:");
    let same = text(header::ORIGIN).is_none_or(|origin| origin == format!("http://{host}"));
    if local && same { next.run(request).await } else { StatusCode::FORBIDDEN.into_response() }
}

#[derive(Deserialize)]
struct As {
    r#as: Option<String>,
}

async fn state(State(inner): State<Inner>, Query(query): Query<As>) -> Json<Value> {
    let now = inner.shared.clock.now();
    let workspace = inner.shared.lock();
    let me = query.r#as.filter(|id| workspace.cast.person(id).is_some_and(|p| p.kind != Kind::Bot));
    let me = me.unwrap_or_else(|| "U0MIA".to_owned());
    let mine: Vec<_> =
        workspace.cast.channels.iter().filter(|channel| channel.members.contains(&me)).collect();
    let channels: Vec<Value> = mine
        .iter()
        .map(|channel| {
            let kind = match (channel.direct, channel.private) {
                (true, _) => "dm",
                (false, true) => "private",
                (false, false) => "channel",
            };
            let name = if channel.direct { "Countersign" } else { &channel.name };
            json!({ "id": channel.id, "name": name, "kind": kind, "topic": topic(channel) })
        })
        .collect();
    let messages: serde_json::Map<String, Value> = mine
        .iter()
        .map(|channel| (channel.id.clone(), json!(shown(&workspace, &channel.id, &me, now))))
        .collect();
    let people: Vec<Value> = workspace
        .cast
        .people
        .iter()
        .map(|person| {
            let kind = match person.kind {
                Kind::Bot => "bot",
                Kind::Deactivated => "deactivated",
                Kind::Member | Kind::Guest | Kind::Outsider => "person",
            };
            json!({ "id": person.id, "name": person.name, "title": person.title, "kind": kind })
        })
        .collect();
    let open = workspace.views.iter().rev().find(|open| open.user == me);
    let open = open.map(|open| {
        let mut view = open.view.clone();
        view["hash"] = json!(open.hash);
        json!({ "view_id": open.id, "view": view })
    });
    Json(json!({
        "now_ms": now.as_millis(), "me": me, "people": people, "channels": channels,
        "messages": messages, "home_view": workspace.homes.get(&me), "open_modal": open,
        "hints": hints(),
    }))
}

/// What a channel is for, in the words of this company.
fn topic(channel: &Channel) -> &'static str {
    match channel.name.as_str() {
        _ if channel.direct => "The approval desk. Ask the agent for something.",
        "support" => "Mention @Countersign to ask the agent here",
        "approvals" => "What waits for a decision",
        "managers" => "Asked when nobody decided in time",
        "partners" => "Shared with Partner Ltd",
        _ => "",
    }
}

fn shown(workspace: &Workspace, channel: &str, me: &str, now: Timestamp) -> Vec<Value> {
    let all: Vec<&Message> = workspace.messages.get(channel).into_iter().flatten().collect();
    let replies = |root: &str| all.iter().filter(|m| m.thread_ts.as_deref() == Some(root)).count();
    all.iter()
        .filter(|message| message.ephemeral_for.as_ref().is_none_or(|user| user == me))
        .map(|message| {
            json!({
                "ts": message.ts, "user": message.user, "text": message.text,
                "blocks": message.blocks, "thread_ts": message.thread_ts,
                "reply_count": replies(&message.ts), "ephemeral_for": message.ephemeral_for,
                "edited": message.edited,
                "tasks": workspace.tasks.get(&(channel.to_owned(), message.ts.clone())),
                "grows": workspace.is_growing(channel, &message.ts, now),
                "session": workspace.session(channel, &message.ts, now),
            })
        })
        .collect()
}

fn hints() -> Value {
    json!([
        { "text": "As Mia, ask for a refund:", "say": "refund ch_1042 640.00 EUR, customer was charged twice" },
        { "text": "Become Jonas and look into #approvals. Approve, or reject with a reason." },
        { "text": "Ask again, let nobody answer, and press “Next timer” until the managers are asked. Become Priya." },
        { "text": "Or something dangerous:", "say": "delete sessions older than 2025-01-01" },
    ])
}

async fn changes(State(inner): State<Inner>) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ear = inner.shared.changed.subscribe();
    let ticks = futures::stream::unfold(ear, |mut ear| async move {
        ear.changed().await.ok()?;
        Some((Ok(Event::default().data("changed")), ear))
    });
    Sse::new(ticks).keep_alive(KeepAlive::default())
}

#[derive(Deserialize)]
struct Act {
    r#as: String,
    #[serde(default)]
    channel: String,
    thread_ts: Option<String>,
    #[serde(default)]
    text: String,
    #[serde(default)]
    ts: String,
    /// The button as it was seen, with its block's id.
    #[serde(default)]
    button: Value,
    #[serde(default)]
    view_id: String,
    #[serde(default)]
    values: Value,
    forward_ms: Option<u32>,
}

async fn write(State(inner): State<Inner>, Json(act): Json<Act>) -> Json<Value> {
    let text = act.text.trim();
    if let Some(rest) = text.strip_prefix("/countersign") {
        let command = people::command(&inner, &act.r#as, &act.channel, "/countersign", rest.trim());
        let (status, _) = command.await;
        return Json(json!({ "ok": status == 200 }));
    }
    let text = text.replace("@Countersign", &format!("<@{BOT_USER}>"));
    let written = people::write(&inner, &act.r#as, &act.channel, act.thread_ts.as_deref(), &text);
    people::deliver_due(&inner).await;
    Json(match written {
        Ok(ts) => json!({ "ok": true, "ts": ts }),
        Err(why) => json!({ "ok": false, "error": why }),
    })
}

async fn click(State(inner): State<Inner>, Json(act): Json<Act>) -> Json<Value> {
    let (status, _) = if act.ts.is_empty() {
        presses::in_view(&inner, &act.r#as, &act.view_id, &act.button).await
    } else {
        presses::in_message(&inner, &act.r#as, &act.channel, &act.ts, &act.button).await
    };
    Json(json!({ "ok": status == 200, "status": status }))
}

async fn submit(State(inner): State<Inner>, Json(act): Json<Act>) -> Json<Value> {
    let (status, answer) = people::submit(&inner, &act.r#as, &act.view_id, &act.values).await;
    Json(json!({ "ok": status == 200, "errors": answer["errors"] }))
}

async fn close(State(inner): State<Inner>, Json(act): Json<Act>) -> Json<Value> {
    people::close(&inner, &act.r#as, &act.view_id).await;
    Json(json!({ "ok": true }))
}

async fn home(State(inner): State<Inner>, Json(act): Json<Act>) -> Json<Value> {
    people::open_home(&inner, &act.r#as);
    people::deliver_due(&inner).await;
    Json(json!({ "ok": true }))
}

/// Slack's own stop button.
async fn stop(State(inner): State<Inner>, Json(act): Json<Act>) -> Json<Value> {
    let thread = act.thread_ts.unwrap_or_default();
    people::stop(&inner, &act.r#as, &act.channel, &thread);
    people::deliver_due(&inner).await;
    Json(json!({ "ok": true }))
}

/// Turns the clock by so much, or to the bot's next timer.
async fn clock(State(inner): State<Inner>, Json(act): Json<Act>) -> Json<Value> {
    match act.forward_ms {
        Some(millis) => inner.shared.clock.turn_forward(Span::millis(millis)),
        None => {
            let ask =
                inner.next_due.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone();
            let due = match ask {
                Some(ask) => ask().await,
                None => None,
            };
            match due {
                Some(due) => inner.shared.clock.turn_to(due),
                None => {
                    return Json(
                        json!({ "ok": false, "error": "No timer is set: nothing waits." }),
                    );
                }
            }
        }
    }
    people::deliver_due(&inner).await;
    inner.shared.tell();
    Json(json!({ "ok": true }))
}
