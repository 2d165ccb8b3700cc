//! `views.*`: dialogs and the Home tab.

use serde_json::{Value, json};

use super::arguments::Arguments;
use super::{Answer, Refused};
use crate::base::Timestamp;
use crate::sandbox::blocks;
use crate::sandbox::workspace::{OpenView, Workspace};

/// Dialogs on top of each other.
const STACK: usize = 3;

fn view(arguments: &Arguments, kind: &str) -> Result<Value, Refused> {
    let mut view = arguments.json("view").ok_or_else(|| Refused::missing("view"))?;
    if view.to_string().len() > 250_000 {
        return Err("view_too_large".into());
    }
    let mut messages = blocks::view_complaints(&view);
    if view["type"] != kind {
        messages.push(format!("[ERROR] must be {kind} [json-pointer:/view/type]"));
    }
    if !messages.is_empty() {
        return Err(Refused::because("invalid_arguments", messages));
    }
    blocks::fill_ids(&mut view["blocks"]);
    Ok(view)
}

pub(super) fn open(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let view = view(arguments, "modal")?;
    let user = workspace.pull(&arguments.needed("trigger_id")?, now)?;
    show(workspace, user, view, now)
}

/// Puts a dialog on top of those that the person has open.
pub(super) fn push(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let view = view(arguments, "modal")?;
    let user = workspace.pull(&arguments.needed("trigger_id")?, now)?;
    match workspace.views.iter().filter(|open| open.user == user).count() {
        0 => Err("not_found".into()),
        STACK.. => Err("push_limit_reached".into()),
        _ => show(workspace, user, view, now),
    }
}

fn show(workspace: &mut Workspace, user: String, view: Value, now: Timestamp) -> Answer {
    let external = &view["external_id"];
    let named = external.as_str().is_some_and(|id| !id.is_empty());
    if named && workspace.views.iter().any(|open| open.view["external_id"] == *external) {
        return Err("duplicate_external_id".into());
    }
    let id = format!("V{:08}", workspace.next());
    let open = OpenView { id, user, view, hash: workspace.hash(now) };
    let object = open.object();
    workspace.views.push(open);
    Ok(json!({ "view": object }))
}

pub(super) fn update(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let view = view(arguments, "modal")?;
    let hash = workspace.hash(now);
    let (id, external) = (arguments.text("view_id"), arguments.text("external_id"));
    if id.is_none() && external.is_none() {
        return Err(Refused::missing("view_id"));
    }
    let open = workspace.views.iter_mut().find(|open| match &id {
        Some(id) => open.id == *id,
        None => open.view["external_id"].as_str() == external.as_deref(),
    });
    let open = open.ok_or_else(|| Refused::from("not_found"))?;
    if arguments.text("hash").is_some_and(|wanted| wanted != open.hash) {
        return Err("hash_conflict".into());
    }
    (open.view, open.hash) = (view, hash);
    Ok(json!({ "view": open.object() }))
}

pub(super) fn publish(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let view = view(arguments, "home")?;
    let user = arguments.needed("user_id")?;
    if workspace.cast.person(&user).is_none() {
        return Err("user_not_found".into());
    }
    let before = workspace.homes.get(&user);
    let old_hash = before.and_then(|home| home["hash"].as_str());
    if arguments.text("hash").is_some_and(|wanted| Some(wanted.as_str()) != old_hash) {
        return Err("hash_conflict".into());
    }
    let id = before.and_then(|home| home["id"].as_str().map(str::to_owned));
    let id = id.unwrap_or_else(|| format!("V{:08}", workspace.next()));
    let home = OpenView { id, user: user.clone(), view, hash: workspace.hash(now) }.object();
    workspace.homes.insert(user, home.clone());
    Ok(json!({ "view": home }))
}
