//! Response URLs: an answer to one click or command, without a token.

use std::collections::VecDeque;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::base::{Clock, Timestamp};
use crate::sandbox::blocks::{self, Surface};
use crate::sandbox::cast::BOT_USER;
use crate::sandbox::server::Inner;
use crate::sandbox::workspace::{Message, ResponsePlace, Workspace};

pub(super) async fn respond(
    State(inner): State<Inner>,
    Path(path): Path<String>,
    Json(mut body): Json<Value>,
) -> Response {
    if !body["blocks"].is_null()
        && !blocks::complaints(&body["blocks"], Surface::Message).is_empty()
    {
        return (StatusCode::BAD_REQUEST, "invalid_blocks").into_response();
    }
    blocks::fill_ids(&mut body["blocks"]);
    let now = inner.shared.clock.now();
    let fault = inner.shared.lock().faults.get_mut("response_url").and_then(VecDeque::pop_front);
    let place = inner.shared.lock().respond(&path, now).filter(|_| fault.is_none());
    let Some(place) = place else {
        let gone = Json(json!({ "ok": false, "error": "Expired url" }));
        return (StatusCode::NOT_FOUND, gone).into_response();
    };
    apply(&mut inner.shared.lock(), place, &body, now);
    inner.shared.tell();
    "ok".into_response()
}

/// Changes or deletes the message of the click, or says something new: to the person alone, unless
/// the whole channel is meant.
fn apply(workspace: &mut Workspace, place: ResponsePlace, body: &Value, now: Timestamp) {
    let ResponsePlace { channel, user, original } = place;
    let text = body["text"].as_str().unwrap_or_default().to_owned();
    let blocks = body["blocks"].as_array().cloned().unwrap_or_default();
    if let Some(ts) = original {
        if body["delete_original"] == true {
            let messages = workspace.messages.entry(channel).or_default();
            return messages.retain(|message| message.ts != ts);
        }
        if body["replace_original"] == true {
            if let Some(message) = workspace.find(&channel, &ts) {
                (message.text, message.blocks) = (text, blocks);
            }
            return;
        }
    }
    let message = Message {
        ts: workspace.ts(now),
        user: BOT_USER.to_owned(),
        text,
        blocks,
        thread_ts: body["thread_ts"].as_str().map(str::to_owned),
        metadata: None,
        edited: None,
        ephemeral_for: (body["response_type"] != "in_channel").then_some(user),
    };
    workspace.post(&channel, message);
}
