//! What was said: history, threads, links to messages.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::channels::visible;
use super::pages::Page;
use super::{Answer, Refused};
use crate::sandbox::cast::{BOT_USER, Channel};
use crate::sandbox::workspace::{Message, Workspace};

/// Messages on a page, one less than elsewhere.
const MOST: usize = 999;

pub(super) fn history(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let channel = readable(workspace, arguments)?;
    let mut found: Vec<_> = said(workspace, channel)
        .filter(|message| message.thread_ts.as_ref().is_none_or(|root| *root == message.ts))
        .filter(|message| in_time(message, arguments))
        .map(|message| entry(workspace, channel, message, arguments))
        .collect();
    found.reverse();
    answer(arguments, found)
}

pub(super) fn replies(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let channel = readable(workspace, arguments)?;
    let root = arguments.needed("ts")?;
    if !said(workspace, channel).any(|message| message.ts == root) {
        return Err("thread_not_found".into());
    }
    // The root stands first on the first page, whatever the times asked for.
    let found = said(workspace, channel)
        .filter(|message| {
            let reply = message.thread_ts.as_ref() == Some(&root);
            message.ts == root || (reply && in_time(message, arguments))
        })
        .map(|message| entry(workspace, channel, message, arguments))
        .collect();
    answer(arguments, found)
}

fn answer(arguments: &Arguments, found: Vec<(String, Value)>) -> Answer {
    let page = Page::of(arguments, found, MOST)?;
    let has_more = page.has_more();
    let mut answer = page.named("messages");
    answer["has_more"] = json!(has_more);
    Ok(answer)
}

fn readable<'w>(workspace: &'w Workspace, arguments: &Arguments) -> Result<&'w Channel, Refused> {
    let channel = visible(workspace, arguments)?;
    let inside = channel.members.contains(BOT_USER);
    if inside { Ok(channel) } else { Err("not_in_channel".into()) }
}

/// Everything in a channel that everybody in it can see.
fn said<'w>(workspace: &'w Workspace, channel: &Channel) -> impl Iterator<Item = &'w Message> {
    let all = workspace.messages.get(&channel.id).into_iter().flatten();
    all.filter(|message| message.ephemeral_for.is_none())
}

/// Between `oldest` and `latest`, which count themselves only if `inclusive`.
fn in_time(message: &Message, arguments: &Arguments) -> bool {
    let ts = order(&message.ts);
    let inclusive = arguments.is_on("inclusive");
    let bound = |name| arguments.text(name).filter(|ts| !ts.is_empty()).map(|ts| order(&ts));
    bound("oldest").is_none_or(|oldest| ts > oldest || (inclusive && ts == oldest))
        && bound("latest").is_none_or(|latest| ts < latest || (inclusive && ts == latest))
}

/// A ts is two numbers with a dot between them, never a fraction.
fn order(ts: &str) -> (u64, u64) {
    let (seconds, count) = ts.split_once('.').unwrap_or((ts, "0"));
    (seconds.parse().unwrap_or_default(), count.parse().unwrap_or_default())
}

/// A message as history shows it: the root of a thread tells of its replies.
fn entry(
    workspace: &Workspace,
    channel: &Channel,
    message: &Message,
    arguments: &Arguments,
) -> (String, Value) {
    let mut object = message.object(arguments.is_on("include_all_metadata"));
    let replies: Vec<&Message> = said(workspace, channel)
        .filter(|reply| reply.thread_ts.as_ref() == Some(&message.ts) && reply.ts != message.ts)
        .collect();
    if let Some(latest) = replies.last() {
        let mut users: Vec<&str> = replies.iter().map(|reply| reply.user.as_str()).collect();
        users.sort_unstable();
        users.dedup();
        object["thread_ts"] = json!(message.ts);
        object["reply_count"] = json!(replies.len());
        object["reply_users_count"] = json!(users.len());
        object["reply_users"] = json!(users);
        object["latest_reply"] = json!(latest.ts);
    }
    (message.ts.clone(), object)
}

pub(super) fn permalink(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let channel = visible(workspace, arguments)?;
    let ts = arguments.needed("message_ts")?;
    let found = said(workspace, channel).find(|message| message.ts == ts);
    let message = found.ok_or_else(|| Refused::from("message_not_found"))?;
    let id = &channel.id;
    let mut link = format!("https://acme.slack.com/archives/{id}/p{}", ts.replace('.', ""));
    if let Some(root) = &message.thread_ts {
        link.push_str(&format!("?thread_ts={root}&cid={id}"));
    }
    Ok(json!({ "channel": id, "permalink": link }))
}
