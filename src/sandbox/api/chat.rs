//! `chat.*`.

use serde_json::{Value, json};

use super::{Answer, Arguments, Refused, writable};
use crate::base::Timestamp;
use crate::sandbox::blocks;
use crate::sandbox::cast::BOT_USER;
use crate::sandbox::workspace::{Message, Workspace};

pub(super) fn post(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let channel = writable(workspace, arguments)?.id.clone();
    let thread_ts = arguments.text("thread_ts");
    if let Some(root) = &thread_ts
        && workspace.find(&channel, root).is_none()
    {
        return Err("thread_not_found".into());
    }
    let message = message(workspace, arguments, now)?;
    let object = message.object(true);
    let ts = message.ts.clone();
    workspace.post(&channel, Message { thread_ts, ..message });
    Ok(json!({ "channel": channel, "ts": ts, "message": object }))
}

pub(super) fn update(workspace: &mut Workspace, arguments: &Arguments) -> Answer {
    let channel = writable(workspace, arguments)?.id.clone();
    let ts = arguments.needed("ts")?;
    let blocks = checked_blocks(arguments)?;
    let text = arguments.text("text");
    let message =
        workspace.find(&channel, &ts).ok_or_else(|| Refused::from("message_not_found"))?;
    if message.user != BOT_USER || message.ephemeral_for.is_some() {
        return Err("cant_update_message".into());
    }
    match (blocks, &text) {
        (Some(blocks), _) => message.blocks = blocks,
        // As Slack does: a text without blocks takes the blocks away.
        (None, Some(_)) => message.blocks.clear(),
        (None, None) => {}
    }
    if let Some(text) = text {
        message.text = text;
    }
    let text = message.text.clone();
    Ok(json!({ "channel": channel, "ts": ts, "text": text, "message": message.object(true) }))
}

pub(super) fn delete(workspace: &mut Workspace, arguments: &Arguments) -> Answer {
    let channel = writable(workspace, arguments)?.id.clone();
    let ts = arguments.needed("ts")?;
    match workspace.find(&channel, &ts) {
        None => return Err("message_not_found".into()),
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
    let channel = writable(workspace, arguments)?;
    let user = arguments.needed("user")?;
    if !channel.members.contains(&user) {
        return Err("user_not_in_channel".into());
    }
    let channel = channel.id.clone();
    let message = message(workspace, arguments, now)?;
    let ts = message.ts.clone();
    let thread_ts = arguments.text("thread_ts");
    workspace.post(&channel, Message { ephemeral_for: Some(user), thread_ts, ..message });
    Ok(json!({ "message_ts": ts }))
}

fn message(
    workspace: &mut Workspace,
    arguments: &Arguments,
    now: Timestamp,
) -> Result<Message, Refused> {
    let blocks = checked_blocks(arguments)?.unwrap_or_default();
    let text = arguments.text("text").unwrap_or_default();
    if text.is_empty() && blocks.is_empty() {
        return Err("no_text".into());
    }
    if text.chars().count() > 40_000 {
        return Err("msg_too_long".into());
    }
    Ok(Message {
        ts: workspace.ts(now),
        user: BOT_USER.to_owned(),
        text,
        blocks,
        thread_ts: None,
        metadata: arguments.json("metadata"),
        edited: false,
        ephemeral_for: None,
    })
}

fn checked_blocks(arguments: &Arguments) -> Result<Option<Vec<Value>>, Refused> {
    let Some(blocks) = arguments.json("blocks") else {
        return Ok(None);
    };
    let messages = blocks::complaints(&blocks, blocks::IN_MESSAGE);
    if !messages.is_empty() {
        return Err(Refused { code: "invalid_blocks".to_owned(), messages });
    }
    let Value::Array(mut blocks) = blocks else {
        return Err("invalid_blocks".into());
    };
    // Slack fills in the ids that were left out.
    for (nth, block) in blocks.iter_mut().enumerate() {
        if block["block_id"].is_null() {
            block["block_id"] = json!(format!("b{nth}"));
        }
    }
    Ok(Some(blocks))
}
