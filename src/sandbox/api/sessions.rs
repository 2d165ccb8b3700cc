//! `agents.sessions.*`: what is said of a conversation as a whole, and Slack's own stop button.

use serde_json::json;

use super::Answer;
use super::arguments::Arguments;
use crate::base::Timestamp;
use crate::sandbox::cast::BOT_USER;
use crate::sandbox::workspace::Workspace;

pub(super) fn set_status(
    workspace: &mut Workspace,
    arguments: &Arguments,
    now: Timestamp,
) -> Answer {
    let named = arguments.needed("channel_id")?;
    let channel = workspace.cast.channel(&named).ok_or("channel_not_found")?;
    if !channel.members.contains(BOT_USER) {
        return Err("not_authorized".into());
    }
    let channel = channel.id.clone();
    let status = arguments.needed("status")?;
    if !matches!(status.as_str(), "active" | "processing" | "suspended" | "closed") {
        return Err("invalid_status".into());
    }
    let thread = arguments.text("thread_ts").ok_or("thread_ts_required")?;
    if workspace.find(&channel, &thread).is_none() {
        return Err("thread_ts_required".into());
    }
    workspace.set_session(&channel, &thread, &status, now);
    Ok(json!({}))
}
