//! `conversations.*`: which channels there are and who is in them.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::pages::Page;
use super::{Answer, Refused};
use crate::sandbox::cast::{BOT_USER, Channel, Kind};
use crate::sandbox::workspace::Workspace;

/// A channel by its id, if the bot can see it: private ones only from inside.
pub(super) fn visible<'w>(
    workspace: &'w Workspace,
    arguments: &Arguments,
) -> Result<&'w Channel, Refused> {
    let id = arguments.needed("channel")?;
    let channel = workspace.cast.channels.iter().find(|channel| channel.id == id);
    channel.filter(|channel| is_seen(channel)).ok_or_else(|| "channel_not_found".into())
}

fn is_seen(channel: &Channel) -> bool {
    !channel.private || channel.members.contains(BOT_USER)
}

/// A channel by its id, if the bot may write there.
pub(super) fn writable<'w>(
    workspace: &'w Workspace,
    arguments: &Arguments,
) -> Result<&'w Channel, Refused> {
    may_write(visible(workspace, arguments)?)
}

/// Where a post goes: an id, a name, or a person, whose direct messages are meant.
pub(super) fn postable<'w>(
    workspace: &'w Workspace,
    arguments: &Arguments,
) -> Result<&'w Channel, Refused> {
    let named = arguments.text("channel").unwrap_or_default();
    let channel = workspace.cast.direct(&named).or_else(|| workspace.cast.channel(&named));
    let channel = channel.filter(|channel| is_seen(channel));
    may_write(channel.ok_or_else(|| Refused::from("channel_not_found"))?)
}

fn may_write(channel: &Channel) -> Result<&Channel, Refused> {
    match channel.refuses {
        Some(code) => Err(code.into()),
        None if channel.archived => Err("is_archived".into()),
        None if !channel.members.contains(BOT_USER) => Err("not_in_channel".into()),
        None => Ok(channel),
    }
}

pub(super) fn open(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let channel = match arguments.text("channel") {
        Some(_) => visible(workspace, arguments)?,
        None => direct(workspace, &arguments.needed("users")?)?,
    };
    if arguments.is_on("return_im") {
        return Ok(json!({ "channel": channel.object(), "no_op": true, "already_open": true }));
    }
    Ok(json!({ "channel": { "id": channel.id } }))
}

fn direct<'w>(workspace: &'w Workspace, users: &str) -> Result<&'w Channel, Refused> {
    if users.contains(',') {
        // Direct messages of several people do not exist here.
        return Err("method_not_supported_for_channel_type".into());
    }
    let person = workspace.cast.person(users).ok_or_else(|| Refused::from("user_not_found"))?;
    if person.kind == Kind::Deactivated {
        return Err("user_disabled".into());
    }
    workspace.cast.direct(users).ok_or_else(|| "cannot_dm_bot".into())
}

pub(super) fn info(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let channel = visible(workspace, arguments)?;
    let mut object = channel.object();
    if arguments.is_on("include_num_members") {
        object["num_members"] = json!(channel.members.len());
    }
    Ok(json!({ "channel": object }))
}

pub(super) fn list(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let all = wanted(workspace, arguments, |_| true);
    Ok(Page::of(arguments, all, 1000)?.named("channels"))
}

/// The channels of somebody that the bot can see; its own ones if nobody is named.
pub(super) fn of_user(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let user = arguments.text("user").unwrap_or_else(|| BOT_USER.to_owned());
    let all = wanted(workspace, arguments, |channel| channel.members.contains(&user));
    Ok(Page::of(arguments, all, 1000)?.named("channels"))
}

fn wanted(
    workspace: &Workspace,
    arguments: &Arguments,
    also: impl Fn(&Channel) -> bool,
) -> Vec<(String, Value)> {
    let types = arguments.text("types").unwrap_or_else(|| "public_channel".to_owned());
    let without_archived = arguments.is_on("exclude_archived");
    let channels = workspace.cast.channels.iter().filter(|channel| {
        let kind = match (channel.direct, channel.private) {
            (true, _) => "im",
            (false, true) => "private_channel",
            (false, false) => "public_channel",
        };
        types.split(',').any(|asked| asked.trim() == kind)
            && !(without_archived && channel.archived)
    });
    channels
        .filter(|channel| is_seen(channel) && also(channel))
        .map(|channel| {
            let mut object = channel.object();
            object["num_members"] = json!(channel.members.len());
            (channel.id.clone(), object)
        })
        .collect()
}

pub(super) fn members(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let members = visible(workspace, arguments)?.members.iter();
    let all = members.map(|user| (user.clone(), json!(user))).collect();
    Ok(Page::of(arguments, all, 1000)?.named("members"))
}

pub(super) fn join(workspace: &mut Workspace, arguments: &Arguments) -> Answer {
    let channel = public(workspace, arguments)?;
    if channel.archived {
        return Err("is_archived".into());
    }
    let joined = channel.members.insert(BOT_USER.to_owned());
    let mut answer = json!({ "channel": channel.object() });
    if !joined {
        answer["warning"] = json!("already_in_channel");
        answer["response_metadata"] = json!({ "warnings": ["already_in_channel"] });
    }
    Ok(answer)
}

pub(super) fn leave(workspace: &mut Workspace, arguments: &Arguments) -> Answer {
    let left = public(workspace, arguments)?.members.remove(BOT_USER);
    Ok(if left { json!({}) } else { json!({ "not_in_channel": true }) })
}

fn public<'w>(
    workspace: &'w mut Workspace,
    arguments: &Arguments,
) -> Result<&'w mut Channel, Refused> {
    let id = visible(workspace, arguments)?.id.clone();
    let channel = workspace.cast.channel_mut(&id).filter(|channel| !channel.private);
    channel.ok_or_else(|| "method_not_supported_for_channel_type".into())
}
