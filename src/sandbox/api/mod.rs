//! The Web API: `POST /api/<method>` with a bearer token; failure is said in the body.

mod arguments;
mod channels;
mod chat;
mod history;
mod manifest;
mod methods;
mod pace;
mod pages;
mod people;
mod respond;
mod sessions;
mod streams;
mod views;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, post};
use serde_json::{Value, json};

pub(super) use self::arguments::Arguments;
use self::methods::Method;
use super::faults::{Fault, Outage};
use super::server::{Inner, Pace};
use super::workspace::{Passed, Workspace};
use crate::base::{Clock, Span, Timestamp};

/// What a method answers: the fields of its result, or an error code with further fields.
pub(super) type Answer = Result<Value, Refused>;

/// `ok: false`.
pub(super) struct Refused {
    code: &'static str,
    /// The code of a fault on order, which may be any text.
    ordered: Option<String>,
    messages: Vec<String>,
    /// The scope that is missing.
    needed: Option<&'static str>,
}

impl From<&'static str> for Refused {
    fn from(code: &'static str) -> Self {
        Self { code, ordered: None, messages: Vec::new(), needed: None }
    }
}

impl Refused {
    fn because(code: &'static str, messages: Vec<String>) -> Self {
        Self { messages, ..Self::from(code) }
    }

    fn missing(argument: &str) -> Self {
        let message = format!("[ERROR] missing required field: {argument}");
        Self::because("invalid_arguments", vec![message])
    }

    fn body(self, workspace: &Workspace) -> Value {
        let code = self.ordered.unwrap_or_else(|| self.code.to_owned());
        let mut body = json!({ "ok": false, "error": code });
        if !self.messages.is_empty() {
            body["response_metadata"] = json!({ "messages": self.messages });
        }
        if let Some(needed) = self.needed {
            body["needed"] = json!(needed);
            body["provided"] = json!(workspace.scopes.join(","));
        }
        body
    }
}

/// What comes of a call: a body with status 200, or a wait.
enum Outcome {
    Answered(Answer),
    Wait(Span),
}

pub(super) fn routes() -> Router<Inner> {
    Router::new()
        .route("/api/{method}", any(call))
        .route("/response/{path}", post(respond::respond))
}

async fn call(
    State(inner): State<Inner>,
    Path(name): Path<String>,
    uri: axum::http::Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    // Only browsers say where a request comes from, and no web page has any business here.
    if headers.contains_key("origin") {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Some(method) = methods::find(&name) else {
        let body = json!({ "ok": false, "error": "unknown_method", "req_method": name });
        return axum::Json(body).into_response();
    };
    let query = uri.query().unwrap_or_default();
    let arguments = match Arguments::read(method.takes_json, query, &headers, &body) {
        Ok(arguments) => arguments,
        Err(code) => return axum::Json(json!({ "ok": false, "error": code })).into_response(),
    };
    arrive(&inner);
    if inner.shared.lock().outage == Some(Outage::Down) {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let fault = inner.shared.lock().faults.get_mut(&name).and_then(|faults| faults.pop_front());
    let answer = match &fault {
        Some(Fault::RateLimited(wait)) => return limited(*wait),
        Some(Fault::Late(span)) => {
            let arrives = inner.shared.clock.now().plus(*span);
            inner.shared.lock().late.push((arrives, method.name, arguments));
            return StatusCode::GATEWAY_TIMEOUT.into_response();
        }
        Some(Fault::ServerError) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some(Fault::Code(code)) => {
            Err(Refused { ordered: Some(code.clone()), ..Refused::from("fatal_error") })
        }
        Some(Fault::AnswerLost | Fault::Page | Fault::Strange) | None => {
            match token(&inner, &headers, &arguments) {
                Err(code) => Err(Refused::from(code)),
                Ok(()) => match answer(&inner, method, &arguments).await {
                    Outcome::Wait(wait) => return limited(wait),
                    Outcome::Answered(answer) => answer,
                },
            }
        }
    };
    let answer = match fault {
        Some(Fault::Strange) => answer.map(strange),
        _ => answer,
    };
    let answered = write_down(&inner, method, arguments, answer);
    match fault {
        Some(Fault::AnswerLost) => StatusCode::BAD_GATEWAY.into_response(),
        Some(Fault::Page) => Html("<!DOCTYPE html><p>One moment, please.</p>").into_response(),
        _ => answered,
    }
}

/// An answer as it may look one day: only what the reference promises is in it, and new fields.
fn strange(mut answer: Value) -> Value {
    if let Some(fields) = answer.as_object_mut() {
        for left_out in ["message", "text", "no_op", "already_open", "url"] {
            fields.remove(left_out);
        }
        fields.insert("deprecation".to_owned(), json!({ "since": [2031, null], "ok": false }));
    }
    answer
}

/// Carries out what was on its way until now.
fn arrive(inner: &Inner) {
    let now = inner.shared.clock.now();
    let mut workspace = inner.shared.lock();
    let (due, late) =
        std::mem::take(&mut workspace.late).into_iter().partition(|(at, ..)| *at <= now);
    workspace.late = late;
    let due: Vec<(Timestamp, &'static str, Arguments)> = due;
    for (_, name, arguments) in due {
        let answer = dispatch(&mut workspace, name, &arguments, now);
        let answer = answer.unwrap_or_else(|refused| refused.body(&workspace));
        let (what, sent) = (name.to_owned(), arguments.into_value());
        workspace.journal.push(Passed { what, sent, status: 200, answer });
    }
}

async fn answer(inner: &Inner, method: &Method, arguments: &Arguments) -> Outcome {
    let now = inner.shared.clock.now();
    {
        let mut workspace = inner.shared.lock();
        if inner.pace == Pace::LikeSlack
            && let Some(wait) = pace::over_limit(&mut workspace, method, arguments, now)
        {
            return Outcome::Wait(wait);
        }
        if let Some(refused) = not_granted(&workspace, method) {
            return Outcome::Answered(Err(refused));
        }
    }
    if method.name == "apps.manifest.update" {
        return Outcome::Answered(manifest::update(inner, arguments).await);
    }
    Outcome::Answered(dispatch(&mut inner.shared.lock(), method.name, arguments, now))
}

fn not_granted(workspace: &Workspace, method: &Method) -> Option<Refused> {
    let needed = *method.scopes.first()?;
    let granted = |scope: &&str| workspace.scopes.iter().any(|granted| granted == scope);
    if method.scopes.iter().any(granted) {
        return None;
    }
    Some(Refused { needed: Some(needed), ..Refused::from("missing_scope") })
}

/// Keeps the exchange in the journal and makes the HTTP answer of it.
fn write_down(inner: &Inner, method: &Method, arguments: Arguments, answer: Answer) -> Response {
    let mut workspace = inner.shared.lock();
    let body = match answer {
        Ok(mut result) => {
            result["ok"] = json!(true);
            if let Some(warning) = arguments.warning {
                result["warning"] = json!(warning);
                result["response_metadata"]["warnings"] = json!([warning]);
            }
            result
        }
        Err(refused) => refused.body(&workspace),
    };
    let what = method.name.to_owned();
    let (sent, answer) = (arguments.into_value(), body.clone());
    workspace.journal.push(Passed { what, sent, status: 200, answer });
    let granted = workspace.scopes.join(",");
    drop(workspace);
    inner.shared.tell();
    let scopes =
        [("x-oauth-scopes", granted), ("x-accepted-oauth-scopes", method.scopes.join(","))];
    (scopes, axum::Json(body)).into_response()
}

/// Slack counts the wait in whole seconds.
fn limited(wait: Span) -> Response {
    let seconds = (wait.as_millis() + 999) / 1000;
    let body = axum::Json(json!({ "ok": false, "error": "ratelimited" }));
    let header = [("retry-after", seconds.max(1).to_string())];
    (StatusCode::TOO_MANY_REQUESTS, header, body).into_response()
}

fn token(inner: &Inner, headers: &HeaderMap, arguments: &Arguments) -> Result<(), &'static str> {
    let header = headers.get("authorization").and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned);
    let outage = inner.shared.lock().outage;
    match bearer.or_else(|| arguments.token.clone()) {
        None => Err("not_authed"),
        Some(token) if *token == *inner.bot_token => match outage {
            Some(Outage::Revoked) => Err("token_revoked"),
            Some(Outage::Down) | None => Ok(()),
        },
        Some(_) => Err("invalid_auth"),
    }
}

fn dispatch(
    workspace: &mut Workspace,
    method: &str,
    arguments: &Arguments,
    now: Timestamp,
) -> Answer {
    match method {
        "agents.sessions.setStatus" => sessions::set_status(workspace, arguments, now),
        "api.test" => Ok(json!({})),
        "auth.test" => Ok(people::auth_test()),
        "bots.info" => people::bot(arguments),
        "chat.delete" => chat::delete(workspace, arguments),
        "chat.getPermalink" => history::permalink(workspace, arguments),
        "chat.postEphemeral" => chat::ephemeral(workspace, arguments, now),
        "chat.postMessage" => chat::post(workspace, arguments, now),
        "chat.startStream" => streams::start(workspace, arguments, now),
        "chat.appendStream" => streams::append(workspace, arguments, now),
        "chat.stopStream" => streams::stop(workspace, arguments, now),
        "chat.update" => chat::update(workspace, arguments, now),
        "conversations.history" => history::history(workspace, arguments),
        "conversations.info" => channels::info(workspace, arguments),
        "conversations.join" => channels::join(workspace, arguments),
        "conversations.leave" => channels::leave(workspace, arguments),
        "conversations.list" => channels::list(workspace, arguments),
        "conversations.members" => channels::members(workspace, arguments),
        "conversations.open" => channels::open(workspace, arguments),
        "conversations.replies" => history::replies(workspace, arguments),
        "team.info" => Ok(people::team()),
        "usergroups.list" => people::groups(workspace, arguments),
        "usergroups.users.list" => people::group(workspace, arguments),
        "users.conversations" => channels::of_user(workspace, arguments),
        "users.info" => people::user(workspace, arguments),
        "users.list" => people::list(workspace, arguments),
        "users.lookupByEmail" => people::by_email(workspace, arguments),
        "views.open" => views::open(workspace, arguments, now),
        "views.publish" => views::publish(workspace, arguments, now),
        "views.push" => views::push(workspace, arguments, now),
        "views.update" => views::update(workspace, arguments, now),
        _ => Err("unknown_method".into()),
    }
}
