//! `chat.*`: posting, changing, deleting.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::channels::{postable, writable};
use super::{Answer, Refused};
use crate::base::Timestamp;
use crate::sandbox::blocks::{self, Surface};
use crate::sandbox::cast::BOT_USER;
use crate::sandbox::workspace::{Message, Workspace};

/// Characters of a text: beyond the one it is cut, in an update beyond the other refused.
const IN_POST: usize = 40_000;
const IN_UPDATE: usize = 4_000;

pub(super) fn post(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let channel = postable(workspace, arguments)?.id.clone();
    let thread_ts = arguments.text("thread_ts").filter(|ts| !ts.is_empty());
    if let Some(root) = &thread_ts
        && workspace.find(&channel, root).is_none()
    {
        return Err("thread_not_found".into());
    }
    let written = message(arguments)?;
    let message = Message { ts: workspace.ts(now), thread_ts, ..written };
    let (ts, object) = (message.ts.clone(), message.object(true));
    workspace.post(&channel, message);
    let mut answer = json!({ "channel": channel, "ts": ts, "message": object });
    if arguments.text("text").is_some_and(|text| text.chars().count() > IN_POST) {
        answer["warning"] = json!("message_truncated");
        answer["response_metadata"] = json!({ "warnings": ["message_truncated"] });
    }
    Ok(answer)
}

pub(super) fn update(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let channel = writable(workspace, arguments)?.id.clone();
    let ts = arguments.needed("ts")?;
    let blocks = checked_blocks(arguments)?;
    let metadata = checked_metadata(arguments)?;
    let text = arguments.text("text");
    if text.as_ref().is_some_and(|text| text.chars().count() > IN_UPDATE) {
        return Err("msg_too_long".into());
    }
    if workspace.is_growing(&channel, &ts, now) {
        return Err("streaming_state_conflict".into());
    }
    let found = workspace.find(&channel, &ts);
    let message = found.ok_or_else(|| Refused::from("message_not_found"))?;
    if message.user != BOT_USER || message.ephemeral_for.is_some() {
        return Err("cant_update_message".into());
    }
    let redrawn = blocks.is_some();
    change(message, text, blocks, now);
    match metadata {
        // As Slack does: an empty object takes the metadata away.
        Some(metadata) if metadata == json!({}) => message.metadata = None,
        Some(metadata) => message.metadata = Some(metadata),
        None => {}
    }
    let (text, object) = (message.text.clone(), message.object(true));
    if redrawn {
        workspace.tasks.remove(&(channel.clone(), ts.clone()));
    }
    Ok(json!({ "channel": channel, "ts": ts, "text": text, "message": object }))
}

/// A change of text is marked as one; a change that came with blocks is not, as Slack does.
fn change(message: &mut Message, text: Option<String>, blocks: Option<Vec<Value>>, now: Timestamp) {
    let before = (message.text.clone(), message.blocks.len());
    let with_blocks = blocks.as_ref().is_some_and(|blocks| !blocks.is_empty());
    match (blocks, &text) {
        (Some(blocks), _) => message.blocks = blocks,
        // As Slack does: a text without blocks takes the blocks away.
        (None, Some(_)) => message.blocks.clear(),
        (None, None) => {}
    }
    if let Some(text) = text {
        message.text = text;
    }
    if !with_blocks && before != (message.text.clone(), message.blocks.len()) {
        let ts = format!("{}.000000", now.as_seconds());
        message.edited = Some(json!({ "user": BOT_USER, "ts": ts }));
    }
}

pub(super) fn delete(workspace: &mut Workspace, arguments: &Arguments) -> Answer {
    let channel = writable(workspace, arguments)?.id.clone();
    let ts = arguments.needed("ts")?;
    match workspace.find(&channel, &ts) {
        None => return Err("message_not_found".into()),
        Some(message) if message.ephemeral_for.is_some() => {
            return Err("message_not_found".into());
        }
        Some(message) if message.user != BOT_USER => return Err("cant_delete_message".into()),
        Some(_) => {}
    }
    if let Some(messages) = workspace.messages.get_mut(&channel) {
        messages.retain(|message| message.ts != ts);
    }
    Ok(json!({ "channel": channel, "ts": ts }))
}

pub(super) fn ephemeral(
    workspace: &mut Workspace,
    arguments: &Arguments,
    now: Timestamp,
) -> Answer {
    let channel = postable(workspace, arguments)?;
    let user = arguments.needed("user")?;
    if !channel.members.contains(&user) {
        return Err("user_not_in_channel".into());
    }
    let channel = channel.id.clone();
    let written = message(arguments)?;
    let ts = workspace.ts(now);
    let message = Message {
        ts: ts.clone(),
        thread_ts: arguments.text("thread_ts").filter(|ts| !ts.is_empty()),
        // Slack keeps no metadata of what is not kept itself.
        metadata: None,
        ephemeral_for: Some(user),
        ..written
    };
    workspace.post(&channel, message);
    Ok(json!({ "message_ts": ts }))
}

/// What is to be posted, without its place in time.
fn message(arguments: &Arguments) -> Result<Message, Refused> {
    let blocks = checked_blocks(arguments)?.unwrap_or_default();
    let text = arguments.text("text").unwrap_or_default();
    if text.is_empty() && blocks.is_empty() {
        return Err("no_text".into());
    }
    Ok(Message {
        ts: String::new(),
        user: BOT_USER.to_owned(),
        text: text.chars().take(IN_POST).collect(),
        blocks,
        thread_ts: None,
        metadata: checked_metadata(arguments)?,
        edited: None,
        ephemeral_for: None,
    })
}

fn checked_metadata(arguments: &Arguments) -> Result<Option<Value>, Refused> {
    let Some(metadata) = arguments.json("metadata") else {
        return Ok(None);
    };
    let right = metadata == json!({}) || blocks::metadata_complaints(&metadata).is_empty();
    if right { Ok(Some(metadata)) } else { Err("invalid_metadata_format".into()) }
}

fn checked_blocks(arguments: &Arguments) -> Result<Option<Vec<Value>>, Refused> {
    let Some(text) = arguments.text("blocks") else {
        return arguments.json("blocks").map(checked).transpose();
    };
    let blocks = serde_json::from_str(&text).map_err(|_| Refused::from("invalid_blocks_format"))?;
    checked(blocks).map(Some)
}

fn checked(mut blocks: Value) -> Result<Vec<Value>, Refused> {
    let messages = blocks::complaints(&blocks, Surface::Message);
    if !messages.is_empty() {
        return Err(Refused::because("invalid_blocks", messages));
    }
    if blocks::too_long(&blocks) {
        return Err("msg_blocks_too_long".into());
    }
    blocks::fill_ids(&mut blocks);
    match blocks {
        Value::Array(blocks) => Ok(blocks),
        _ => Err("invalid_blocks_format".into()),
    }
}
