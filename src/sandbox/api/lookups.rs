//! What there is: people, groups, channels, messages.

use serde_json::{Value, json};

use super::{Answer, Arguments, Refused};
use crate::sandbox::cast::{APP, BOT_ID, BOT_USER, Channel, Kind, TEAM};
use crate::sandbox::workspace::{Message, Workspace};

pub(super) fn auth_test() -> Value {
    json!({
        "url": "https://acme.slack.com/", "team": "Acme", "user": "countersign", "team_id": TEAM,
        "user_id": BOT_USER, "bot_id": BOT_ID, "app_id": APP, "is_enterprise_install": false,
    })
}

pub(super) fn open(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let user = arguments.needed("users")?;
    let channel = workspace.cast.direct(&user).ok_or_else(|| Refused::from("user_not_found"))?;
    Ok(json!({ "channel": { "id": channel.id } }))
}

/// A channel that the bot can see: private ones only from inside.
fn visible<'w>(workspace: &'w Workspace, arguments: &Arguments) -> Result<&'w Channel, Refused> {
    let channel = workspace.cast.channel(&arguments.needed("channel")?);
    channel
        .filter(|channel| !channel.private || channel.members.contains(BOT_USER))
        .ok_or_else(|| "channel_not_found".into())
}

pub(super) fn info(workspace: &Workspace, arguments: &Arguments) -> Answer {
    Ok(json!({ "channel": visible(workspace, arguments)?.object() }))
}

pub(super) fn list(workspace: &Workspace) -> Answer {
    let seen = workspace.cast.channels.iter().filter(|channel| {
        !channel.direct
            && !channel.archived
            && (!channel.private || channel.members.contains(BOT_USER))
    });
    Ok(json!({ "channels": seen.map(Channel::object).collect::<Vec<_>>() }))
}

pub(super) fn members(workspace: &Workspace, arguments: &Arguments) -> Answer {
    Ok(json!({ "members": visible(workspace, arguments)?.members }))
}

pub(super) fn history(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let roots =
        |message: &Message| message.thread_ts.as_ref().is_none_or(|root| *root == message.ts);
    let mut found = messages(workspace, arguments, roots)?;
    found.reverse();
    Ok(json!({ "messages": found, "has_more": false }))
}

pub(super) fn replies(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let root = arguments.needed("ts")?;
    let in_thread =
        |message: &Message| message.ts == root || message.thread_ts.as_ref() == Some(&root);
    Ok(json!({ "messages": messages(workspace, arguments, in_thread)?, "has_more": false }))
}

fn messages(
    workspace: &Workspace,
    arguments: &Arguments,
    wanted: impl Fn(&Message) -> bool,
) -> Result<Vec<Value>, Refused> {
    let channel = visible(workspace, arguments)?;
    if !channel.members.contains(BOT_USER) {
        return Err("not_in_channel".into());
    }
    let oldest = arguments.text("oldest").unwrap_or_default();
    let with_metadata = arguments.text("include_all_metadata").as_deref() == Some("true");
    let all = workspace.messages.get(&channel.id).into_iter().flatten();
    Ok(all
        .filter(|message| message.ephemeral_for.is_none() && message.ts >= oldest)
        .filter(|message| wanted(message))
        .map(|message| message.object(with_metadata))
        .collect())
}

pub(super) fn user(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let person = workspace.cast.person(&arguments.needed("user")?);
    let person = person.ok_or_else(|| Refused::from("user_not_found"))?;
    Ok(json!({ "user": person.user_object() }))
}

pub(super) fn by_email(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let email = arguments.needed("email")?;
    let people = workspace.cast.people.iter().filter(|person| person.kind != Kind::Deactivated);
    let found =
        people.map(|person| person.user_object()).find(|user| user["profile"]["email"] == email);
    found.map(|user| json!({ "user": user })).ok_or_else(|| "users_not_found".into())
}

pub(super) fn group(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let id = arguments.needed("usergroup")?;
    let group = workspace.cast.groups.iter().find(|(group, _)| *group == id);
    group.map(|(_, users)| json!({ "users": users })).ok_or_else(|| "no_such_subteam".into())
}
