//! Who is there: the bot itself, people, user groups.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::pages::Page;
use super::{Answer, Refused};
use crate::sandbox::cast::{APP, BOT_ID, BOT_USER, Kind, TEAM};
use crate::sandbox::workspace::Workspace;

pub(super) fn auth_test() -> Value {
    json!({
        "url": "https://acme.slack.com/", "team": "Acme", "user": "countersign", "team_id": TEAM,
        "user_id": BOT_USER, "bot_id": BOT_ID, "app_id": APP, "is_enterprise_install": false,
    })
}

pub(super) fn team() -> Value {
    json!({ "team": { "id": TEAM, "name": "Acme", "domain": "acme", "email_domain": "" } })
}

pub(super) fn bot(arguments: &Arguments) -> Answer {
    if arguments.text("bot").is_some_and(|bot| bot != BOT_ID) {
        return Err("bot_not_found".into());
    }
    let (id, user) = (BOT_ID, BOT_USER);
    let name = "Countersign";
    Ok(
        json!({ "bot": { "id": id, "user_id": user, "app_id": APP, "name": name, "deleted": false } }),
    )
}

pub(super) fn user(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let person = workspace.cast.person(&arguments.needed("user")?);
    let person = person.ok_or_else(|| Refused::from("user_not_found"))?;
    Ok(json!({ "user": person.user_object() }))
}

pub(super) fn list(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let people = workspace.cast.people.iter();
    let all = people.map(|person| (person.id.clone(), person.user_object())).collect();
    Ok(Page::of(arguments, all, 1000)?.named("members"))
}

pub(super) fn by_email(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let email = arguments.needed("email")?;
    let people = workspace.cast.people.iter().filter(|person| person.kind != Kind::Deactivated);
    let found =
        people.map(|person| person.user_object()).find(|user| user["profile"]["email"] == email);
    found.map(|user| json!({ "user": user })).ok_or_else(|| "users_not_found".into())
}

pub(super) fn groups(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let all = workspace.cast.groups.iter().map(|(id, users)| {
        let handle = id.trim_start_matches("S0").to_lowercase();
        let mut group = json!({
            "id": id, "team_id": TEAM, "is_usergroup": true, "name": handle, "handle": handle,
            "is_external": false, "date_delete": 0,
        });
        if arguments.is_on("include_users") {
            group["users"] = json!(users);
        }
        if arguments.is_on("include_count") {
            group["user_count"] = json!(users.len());
        }
        group
    });
    Ok(json!({ "usergroups": all.collect::<Vec<_>>() }))
}

pub(super) fn group(workspace: &Workspace, arguments: &Arguments) -> Answer {
    let id = arguments.needed("usergroup")?;
    let group = workspace.cast.groups.iter().find(|(group, _)| *group == id);
    group.map(|(_, users)| json!({ "users": users })).ok_or_else(|| "no_such_subteam".into())
}
