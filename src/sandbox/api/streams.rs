//! `chat.startStream` and its kin: a reply that grows while it is written.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::channels::writable;
use super::{Answer, Refused};
use crate::base::Timestamp;
use crate::sandbox::blocks::{self, Surface};
use crate::sandbox::cast::BOT_USER;
use crate::sandbox::workspace::{Message, Workspace};

/// What one message takes in all. The number is not published; others have measured it.
const CHARACTERS: usize = 11_000;
/// Characters of one call.
const IN_CALL: usize = 12_000;

pub(super) fn start(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let channel = writable(workspace, arguments)?;
    if !channel.direct {
        for (name, code) in [
            ("recipient_user_id", "missing_recipient_user_id"),
            ("recipient_team_id", "missing_recipient_team_id"),
        ] {
            arguments.text(name).ok_or_else(|| Refused::from(code))?;
        }
    }
    let channel = channel.id.clone();
    let root = arguments.text("thread_ts").ok_or_else(|| Refused::from("invalid_thread_ts"))?;
    if workspace.find(&channel, &root).is_none() {
        return Err("invalid_thread_ts".into());
    }
    let chunks = chunks(arguments)?;
    let mut message = Message {
        ts: workspace.ts(now),
        user: BOT_USER.to_owned(),
        text: String::new(),
        blocks: Vec::new(),
        thread_ts: Some(root.clone()),
        metadata: None,
        edited: None,
        ephemeral_for: None,
    };
    let tasks = grow(&mut message, chunks)?;
    let ts = message.ts.clone();
    workspace.post(&channel, message);
    workspace.streams.insert((channel.clone(), ts.clone()), now);
    keep(workspace, &channel, &ts, tasks);
    workspace.set_session(&channel, &root, "processing", now);
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub(super) fn append(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let chunks = chunks(arguments)?;
    if chunks.is_empty() {
        return Err("no_text".into());
    }
    let (channel, message) = streaming(workspace, arguments, now)?;
    let tasks = grow(message, chunks)?;
    let ts = message.ts.clone();
    keep(workspace, &channel, &ts, tasks);
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub(super) fn stop(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let chunks = chunks(arguments)?;
    let mut last = arguments.json("blocks").unwrap_or_else(|| json!([]));
    let messages = blocks::complaints(&last, Surface::Message);
    if !messages.is_empty() {
        return Err(Refused::because("invalid_blocks", messages));
    }
    blocks::fill_ids(&mut last);
    let session = arguments.text("session_status").unwrap_or_else(|| "active".to_owned());
    if !matches!(session.as_str(), "active" | "processing" | "suspended" | "closed") {
        return Err("invalid_status".into());
    }
    let (channel, message) = streaming(workspace, arguments, now)?;
    let tasks = grow(message, chunks)?;
    message.blocks.extend(last.as_array().into_iter().flatten().cloned());
    if let Some(metadata) = arguments.json("metadata") {
        message.metadata = Some(metadata);
    }
    let (ts, object) = (message.ts.clone(), message.object(true));
    let root = message.thread_ts.clone().unwrap_or_default();
    keep(workspace, &channel, &ts, tasks);
    workspace.set_session(&channel, &root, &session, now);
    workspace.streams.remove(&(channel.clone(), ts.clone()));
    Ok(json!({ "channel": channel, "ts": ts, "message": object }))
}

fn streaming<'w>(
    workspace: &'w mut Workspace,
    arguments: &Arguments,
    now: Timestamp,
) -> Result<(String, &'w mut Message), Refused> {
    let channel = writable(workspace, arguments)?.id.clone();
    let ts = arguments.needed("ts")?;
    let grows = workspace.is_growing(&channel, &ts, now);
    if workspace.stopped.contains(&(channel.clone(), ts.clone())) {
        return Err("stopped_by_user".into());
    }
    let message = workspace.find(&channel, &ts);
    let message = message.ok_or_else(|| Refused::from("message_not_found"))?;
    if grows { Ok((channel, message)) } else { Err("message_not_in_streaming_state".into()) }
}

/// What a call brings: its chunks, or its text as one.
fn chunks(arguments: &Arguments) -> Result<Vec<Value>, Refused> {
    let text = arguments.text("markdown_text").filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > IN_CALL) {
        return Err("msg_too_long".into());
    }
    let mut all: Vec<Value> =
        text.map(|text| json!({ "type": "markdown_text", "text": text })).into_iter().collect();
    if let Some(chunks) = arguments.json("chunks") {
        let messages = blocks::chunk_complaints(&chunks);
        if !messages.is_empty() {
            return Err(Refused::because("invalid_chunks", messages));
        }
        all.extend(chunks.as_array().into_iter().flatten().cloned());
    }
    Ok(all)
}

/// Adds text and blocks to a message, and gives back the tasks.
fn grow(message: &mut Message, chunks: Vec<Value>) -> Result<Vec<Value>, Refused> {
    let length = |text: &str| text.chars().count();
    let more: usize = chunks.iter().filter_map(|chunk| chunk["text"].as_str()).map(length).sum();
    if length(&message.text) + more > CHARACTERS {
        return Err("msg_too_long".into());
    }
    let mut tasks = Vec::new();
    for chunk in chunks {
        match chunk["type"].as_str() {
            Some("markdown_text") => {
                message.text.push_str(chunk["text"].as_str().unwrap_or_default());
            }
            Some("blocks") => {
                message.blocks.extend(chunk["blocks"].as_array().into_iter().flatten().cloned());
            }
            Some("task_update") => tasks.push(chunk),
            // The page draws no plans; that they were well formed is enough.
            _ => {}
        }
    }
    Ok(tasks)
}

/// A later update with the same id takes the place of the earlier one.
fn keep(workspace: &mut Workspace, channel: &str, ts: &str, tasks: Vec<Value>) {
    let list = workspace.tasks.entry((channel.to_owned(), ts.to_owned())).or_default();
    for task in tasks {
        match list.iter_mut().find(|known| known["id"] == task["id"]) {
            Some(known) => *known = task,
            None => list.push(task),
        }
    }
}
