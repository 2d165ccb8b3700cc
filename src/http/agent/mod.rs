//! Agents over HTTP: `POST /agent/stream` asks and follows, `GET /agent/stream/{run}` follows again.
//!
//! Each caller shows its key, asks on behalf of one person of the workspace, and sees its own runs
//! only. What is sent is the run's event log; a client that was cut off names the last event it has
//! seen and misses nothing. A client that leaves does not stop its run.

mod entry;
mod follow;
mod frame;
mod turned;

use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use self::entry::{Entry, key_of};
use self::turned::Turned;
use super::serve::Peer;
use crate::base::RunId;
use crate::config::Caller;
use crate::desk::{Call, Desk};
use crate::store::CallView;
use crate::stream::{ModeList, Modes, Version};

/// Characters of a message, and of a name that a client chooses.
const LONGEST_MESSAGE: usize = 100_000;
const LONGEST_NAME: usize = 200;

/// The desk with what only these routes need.
struct Agents {
    desk: Arc<Desk>,
    entry: Entry,
}

pub(super) fn routes(desk: Arc<Desk>) -> Router {
    let agents = Agents { entry: Entry::new(desk.clock.clone()), desk };
    Router::new()
        .route("/agent/stream", post(ask))
        .route("/agent/stream/{run}", get(follow_again))
        .with_state(Arc::new(agents))
}

/// The body of `POST /agent/stream`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    message: String,
    thread_id: Option<String>,
    agent: Option<String>,
    #[serde(default)]
    stream_mode: ModeList,
    #[serde(default)]
    subgraphs: bool,
    version: Option<Version>,
}

impl Agents {
    fn enter(&self, headers: &HeaderMap, peer: Peer) -> Result<&Caller, Turned> {
        self.entry.check(peer.0, || self.desk.caller(key_of(headers)?))
    }
}

async fn ask(
    State(agents): State<Arc<Agents>>,
    peer: Peer,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Turned> {
    let caller = agents.enter(&headers, peer)?;
    let after = last_event_id(&headers)?;
    let asked: Asked =
        serde_json::from_slice(&body).map_err(|error| Turned::Unreadable(error.to_string()))?;
    let call = asked.into_call(header_text(&headers, "idempotency-key")?)?;
    let seat = agents.desk.listeners.sit_down(&caller.name.value, caller.streams.get());
    let seat = seat.ok_or(Turned::TooManyStreams)?;
    let view = agents.desk.call(caller, call).await?;
    let body = follow::follow(agents.desk.clone(), &view, after, seat);
    Ok(stream(&view, body))
}

async fn follow_again(
    State(agents): State<Arc<Agents>>,
    peer: Peer,
    Path(run): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Turned> {
    let caller = agents.enter(&headers, peer)?;
    let after = last_event_id(&headers)?;
    let run = RunId::existing(run);
    let view = agents.desk.call_of(&caller.name.value, &run).await?.ok_or(Turned::NoSuchRun)?;
    if view.ended && agents.desk.store.events_after(&run, after).await?.is_empty() {
        // Either all was told (a browser then stops coming back), or it is too long ago.
        let all_told = after > 0 && !agents.desk.store.events_after(&run, 0).await?.is_empty();
        return if all_told {
            Ok(StatusCode::NO_CONTENT.into_response())
        } else {
            Err(Turned::Gone)
        };
    }
    let seat = agents.desk.listeners.sit_down(&caller.name.value, caller.streams.get());
    let seat = seat.ok_or(Turned::TooManyStreams)?;
    let body = follow::follow(agents.desk.clone(), &view, after, seat);
    Ok(stream(&view, body))
}

impl Asked {
    fn into_call(self, idempotency_key: Option<String>) -> Result<Call, Turned> {
        let wrong = |why: &str| Err(Turned::Unreadable(why.to_owned()));
        if self.message.trim().is_empty() {
            return wrong("`message` is empty");
        }
        if self.message.chars().count() > LONGEST_MESSAGE {
            return wrong("`message` is longer than 100,000 characters");
        }
        let name_is_fine = |name: &String| !name.is_empty() && name.chars().count() <= LONGEST_NAME;
        if !self.thread_id.iter().chain(&idempotency_key).all(name_is_fine) {
            return wrong("`thread_id` and `Idempotency-Key` have 1 to 200 characters");
        }
        Ok(Call {
            message: self.message,
            thread: self.thread_id,
            agent: self.agent,
            modes: Modes {
                chunks: self.stream_mode,
                subgraphs: self.subgraphs,
                version: self.version,
            },
            idempotency_key,
        })
    }
}

fn header_text(headers: &HeaderMap, name: &str) -> Result<Option<String>, Turned> {
    let text = headers.get(name).map(HeaderValue::to_str).transpose();
    let text = text.map_err(|_| Turned::Unreadable(format!("the header `{name}` is no text")))?;
    Ok(text.map(str::to_owned))
}

/// The number of the last event that the client has seen; zero when it has seen none.
fn last_event_id(headers: &HeaderMap) -> Result<u64, Turned> {
    match header_text(headers, "last-event-id")? {
        None => Ok(0),
        Some(text) => text
            .parse()
            .map_err(|_| Turned::Unreadable("`Last-Event-ID` is no number of an event".to_owned())),
    }
}

/// Server-sent events that no proxy between us and the client holds back.
fn stream(view: &CallView, body: axum::body::Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    let run = view.run.as_str();
    for (name, value) in [
        (header::LOCATION, format!("/agent/stream/{run}")),
        (header::HeaderName::from_static("countersign-run"), run.to_owned()),
        (header::HeaderName::from_static("countersign-thread"), view.thread.clone()),
    ] {
        // A name that no header can carry is left out: the client chose it and knows it.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(name, value);
        }
    }
    response
}
