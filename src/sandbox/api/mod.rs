//! The Web API: `POST /api/<method>` with a bearer token; failure is said in the body.

mod chat;
mod lookups;
mod views;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::{Map, Value, json};

use super::cast::{BOT_USER, Channel};
use super::faults::Fault;
use super::server::{Inner, Pace};
use super::workspace::{Message, Passed, Workspace};
use crate::base::{Clock, Span, Timestamp};

const SCOPES: &str = "app_mentions:read,chat:write,commands,im:history,im:read,im:write,\
    channels:read,channels:history,groups:read,groups:history,users:read,users:read.email,\
    usergroups:read";

/// The arguments of a call, whichever way they came.
pub(super) struct Arguments(Map<String, Value>);

/// What a method answers: the fields of its result, or an error code with further fields.
pub(super) type Answer = Result<Value, Refused>;

/// `ok: false`.
pub(super) struct Refused {
    pub(super) code: String,
    pub(super) messages: Vec<String>,
}

impl From<&str> for Refused {
    fn from(code: &str) -> Self {
        Self { code: code.to_owned(), messages: Vec::new() }
    }
}

pub(super) fn routes() -> Router<Inner> {
    Router::new().route("/api/{method}", any(call)).route("/response/{path}", post(respond))
}

async fn call(
    State(inner): State<Inner>,
    Path(method): Path<String>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let arguments = Arguments::read(uri.query().unwrap_or_default(), &headers, &body);
    let now = inner.shared.clock.now();
    let fault = inner.shared.lock().faults.get_mut(&method).and_then(|faults| faults.pop_front());
    let answer = match &fault {
        Some(Fault::RateLimited(wait)) => return limited(*wait),
        Some(Fault::ServerError) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Code(code)) => Err(Refused::from(code.as_str())),
        Some(Fault::AnswerLost) | None => match token(&inner, &headers, &arguments) {
            Err(code) => Err(Refused::from(code)),
            Ok(()) => {
                let mut workspace = inner.shared.lock();
                if inner.pace == Pace::LikeSlack
                    && let Some(wait) = over_limit(&mut workspace, &method, &arguments, now)
                {
                    return limited(wait);
                }
                dispatch(&mut workspace, &method, &arguments, now)
            }
        },
    };
    let body = match answer {
        Ok(mut result) => {
            result["ok"] = json!(true);
            result
        }
        Err(Refused { code, messages }) => json!({
            "ok": false, "error": code, "response_metadata": { "messages": messages },
        }),
    };
    let passed = Passed {
        what: method,
        sent: Value::Object(arguments.0),
        status: 200,
        answer: body.clone(),
    };
    inner.shared.lock().journal.push(passed);
    inner.shared.tell();
    if fault == Some(Fault::AnswerLost) {
        return StatusCode::BAD_GATEWAY.into_response();
    }
    ([("x-oauth-scopes", SCOPES)], axum::Json(body)).into_response()
}

fn limited(wait: Span) -> Response {
    let seconds = (wait.as_millis() / 1000).max(1).to_string();
    let body = axum::Json(json!({ "ok": false, "error": "ratelimited" }));
    (StatusCode::TOO_MANY_REQUESTS, [("retry-after", seconds)], body).into_response()
}

fn token(inner: &Inner, headers: &HeaderMap, arguments: &Arguments) -> Result<(), &'static str> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    match bearer.or_else(|| arguments.text("token")) {
        None => Err("not_authed"),
        Some(token) if *token == *inner.bot_token => Ok(()),
        Some(_) => Err("invalid_auth"),
    }
}

/// Calls a minute by method, and about one post a second in a channel, with short bursts.
fn over_limit(
    workspace: &mut Workspace,
    method: &str,
    arguments: &Arguments,
    now: Timestamp,
) -> Option<Span> {
    let (key, most, window) = match method {
        "chat.postMessage" => {
            let channel = arguments.text("channel").unwrap_or_default();
            (format!("post {channel}"), 5, Span::seconds(5))
        }
        "usergroups.list" | "usergroups.users.list" | "users.list" | "conversations.list" => {
            (method.to_owned(), 40, Span::minutes(1))
        }
        "users.info" | "views.open" | "chat.postEphemeral" | "conversations.members" => {
            (method.to_owned(), 200, Span::minutes(1))
        }
        _ => (method.to_owned(), 100, Span::minutes(1)),
    };
    let calls = workspace.calls.entry(key).or_default();
    calls.retain(|&at| now.since(at) < window);
    if calls.len() >= most {
        return Some(Span::seconds(1));
    }
    calls.push(now);
    None
}

fn dispatch(
    workspace: &mut Workspace,
    method: &str,
    arguments: &Arguments,
    now: Timestamp,
) -> Answer {
    match method {
        "api.test" => Ok(json!({})),
        "auth.test" => Ok(lookups::auth_test()),
        "chat.postMessage" => chat::post(workspace, arguments, now),
        "chat.update" => chat::update(workspace, arguments),
        "chat.delete" => chat::delete(workspace, arguments),
        "chat.postEphemeral" => chat::ephemeral(workspace, arguments, now),
        "conversations.open" => lookups::open(workspace, arguments),
        "conversations.info" => lookups::info(workspace, arguments),
        "conversations.list" => lookups::list(workspace),
        "conversations.members" => lookups::members(workspace, arguments),
        "conversations.history" => lookups::history(workspace, arguments),
        "conversations.replies" => lookups::replies(workspace, arguments),
        "users.info" => lookups::user(workspace, arguments),
        "users.lookupByEmail" => lookups::by_email(workspace, arguments),
        "usergroups.users.list" => lookups::group(workspace, arguments),
        "views.open" => views::open(workspace, arguments, now),
        "views.update" => views::update(workspace, arguments),
        "views.publish" => views::publish(workspace, arguments),
        _ => Err("unknown_method".into()),
    }
}

impl Arguments {
    fn read(query: &str, headers: &HeaderMap, body: &[u8]) -> Self {
        let kind = headers.get("content-type").and_then(|value| value.to_str().ok());
        if kind.is_some_and(|kind| kind.starts_with("application/json")) {
            let object = serde_json::from_slice(body).unwrap_or_default();
            return Self(object);
        }
        let form = if body.is_empty() { query.as_bytes() } else { body };
        let fields = url::form_urlencoded::parse(form);
        Self(fields.map(|(name, value)| (name.into_owned(), json!(value))).collect())
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        match self.0.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(flag) => Some(flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    pub(super) fn needed(&self, name: &str) -> Result<String, Refused> {
        self.text(name).ok_or_else(|| "invalid_arguments".into())
    }

    /// An object or a list, itself or as JSON text.
    pub(super) fn json(&self, name: &str) -> Option<Value> {
        match self.0.get(name)? {
            Value::String(text) => serde_json::from_str(text).ok(),
            value @ (Value::Array(_) | Value::Object(_)) => Some(value.clone()),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }
}

/// The channel of a call, if the bot may write there.
fn writable<'w>(workspace: &'w Workspace, arguments: &Arguments) -> Result<&'w Channel, Refused> {
    let named = arguments.needed("channel")?;
    let direct = workspace.cast.direct(&named);
    let channel = direct.or_else(|| workspace.cast.channel(&named));
    let channel = channel.ok_or_else(|| Refused::from("channel_not_found"))?;
    if channel.archived {
        return Err("is_archived".into());
    }
    if !channel.members.contains(BOT_USER) {
        return Err(if channel.private { "channel_not_found" } else { "not_in_channel" }.into());
    }
    Ok(channel)
}

/// An answer to a response URL: a note that only one person sees.
async fn respond(
    State(inner): State<Inner>,
    Path(path): Path<String>,
    body: axum::Json<Value>,
) -> Response {
    let now = inner.shared.clock.now();
    {
        let mut workspace = inner.shared.lock();
        let Some((channel, user)) = workspace.respond(&path, now) else {
            let gone = axum::Json(json!({ "ok": false, "error": "Expired url" }));
            return (StatusCode::NOT_FOUND, gone).into_response();
        };
        let ts = workspace.ts(now);
        workspace.post(
            &channel,
            Message {
                ts,
                user: BOT_USER.to_owned(),
                text: body["text"].as_str().unwrap_or_default().to_owned(),
                blocks: body["blocks"].as_array().cloned().unwrap_or_default(),
                thread_ts: None,
                metadata: None,
                edited: false,
                ephemeral_for: Some(user),
            },
        );
    }
    inner.shared.tell();
    "ok".into_response()
}
