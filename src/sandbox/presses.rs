//! Buttons that people press: in messages, in dialogs and on the Home tab.
//!
//! What is pressed is the button that was seen, even if the message has changed meanwhile: a page
//! may be behind, and the bot has to tell the truth then.

use serde_json::{Value, json};

use super::cast::{APP, TEAM};
use super::people::{Answered, interact, response_place, user_object};
use super::server::Inner;
use crate::base::Clock;

/// Presses a button that was seen in a message.
pub(super) async fn in_message(
    inner: &Inner,
    user: &str,
    channel: &str,
    ts: &str,
    button: &Value,
) -> Answered {
    let now = inner.shared.clock.now();
    let mut payload = payload(inner, user, button);
    {
        let mut workspace = inner.shared.lock();
        let message = workspace.find(channel, ts);
        let ephemeral = message.as_ref().is_some_and(|message| message.ephemeral_for.is_some());
        let message = message.map(|message| message.object(true));
        let path = workspace.response_path(response_place(channel, user, Some(ts)), now);
        payload["container"] = json!({
            "type": "message", "message_ts": ts, "channel_id": channel, "is_ephemeral": ephemeral,
        });
        if let Some(thread) = message.as_ref().and_then(|message| message.get("thread_ts")) {
            payload["container"]["thread_ts"] = thread.clone();
        }
        payload["channel"] = json!({ "id": channel, "name": "channel" });
        payload["message"] = json!(message);
        payload["response_url"] = json!(format!("{}/response/{path}", inner.base_url));
    }
    interact(inner, payload).await
}

/// Presses a button of an open dialog, or of the Home tab where `view_id` is empty.
pub(super) async fn in_view(inner: &Inner, user: &str, view_id: &str, button: &Value) -> Answered {
    let mut payload = payload(inner, user, button);
    {
        let workspace = inner.shared.lock();
        let open = workspace.views.iter().find(|open| open.id == view_id && open.user == user);
        let (id, hash, view) = match (open, workspace.homes.get(user)) {
            (Some(open), _) => (view_id, open.hash.as_str(), &open.view),
            (None, Some(home)) if view_id.is_empty() => ("VHOME", "home", home),
            (None, _) => return (0, Value::Null),
        };
        payload["container"] = json!({ "type": "view", "view_id": id });
        payload["view"] = view.clone();
        payload["view"]["id"] = json!(id);
        payload["view"]["hash"] = json!(hash);
        payload["view"]["team_id"] = json!(TEAM);
        payload["view"]["app_installed_team_id"] = json!(TEAM);
    }
    interact(inner, payload).await
}

/// What every press says, wherever it happened.
fn payload(inner: &Inner, user: &str, button: &Value) -> Value {
    let now = inner.shared.clock.now();
    let who = user_object(inner, user);
    let mut workspace = inner.shared.lock();
    let trigger = workspace.trigger(user, now);
    let pressed = workspace.ts(now);
    json!({
        "type": "block_actions", "user": who, "api_app_id": APP, "token": "unused",
        "team": { "id": TEAM, "domain": "acme" }, "enterprise": null,
        "is_enterprise_install": false, "trigger_id": trigger, "state": { "values": {} },
        "actions": [{
            "type": "button", "action_id": button["action_id"], "block_id": button["block_id"],
            "value": button["value"], "text": button["text"], "action_ts": pressed,
        }],
    })
}
