//! `views.*`: dialogs and the Home tab.

use serde_json::{Value, json};

use super::{Answer, Arguments, Refused};
use crate::base::Timestamp;
use crate::sandbox::blocks;
use crate::sandbox::workspace::{OpenView, Workspace};

fn view(arguments: &Arguments) -> Result<Value, Refused> {
    let view = arguments.json("view").ok_or_else(|| Refused::from("invalid_arguments"))?;
    let messages = blocks::view_complaints(&view);
    if messages.is_empty() {
        Ok(view)
    } else {
        Err(Refused { code: "invalid_arguments".to_owned(), messages })
    }
}

pub(super) fn open(workspace: &mut Workspace, arguments: &Arguments, now: Timestamp) -> Answer {
    let view = view(arguments)?;
    let user = workspace.pull(&arguments.needed("trigger_id")?, now)?;
    let id = format!("V{:08}", workspace.next());
    let hash = format!("{}.{}", now.as_seconds(), workspace.next());
    workspace.views.push(OpenView { id: id.clone(), user, view, hash: hash.clone() });
    Ok(json!({ "view": { "id": id, "hash": hash } }))
}

pub(super) fn update(workspace: &mut Workspace, arguments: &Arguments) -> Answer {
    let view = view(arguments)?;
    let id = arguments.needed("view_id")?;
    let hash = format!("h{}", workspace.next());
    let open = workspace.views.iter_mut().find(|open| open.id == id);
    let open = open.ok_or_else(|| Refused::from("not_found"))?;
    if arguments.text("hash").is_some_and(|wanted| wanted != open.hash) {
        return Err("hash_conflict".into());
    }
    (open.view, open.hash) = (view, hash);
    Ok(json!({ "view": { "id": id, "hash": open.hash } }))
}

pub(super) fn publish(workspace: &mut Workspace, arguments: &Arguments) -> Answer {
    let view = view(arguments)?;
    workspace.homes.insert(arguments.needed("user_id")?, view);
    Ok(json!({ "view": { "id": format!("V{:08}", workspace.next()) } }))
}
