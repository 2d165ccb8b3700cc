//! What people do: write, send a dialog, type a command. The page and the drivers share it.

use serde_json::{Value, json};

use super::cast::{APP, BOT_USER, TEAM};
use super::server::Inner;
use super::workspace::{Message, Passed, Pending, ResponsePlace};
use crate::base::{Clock, Span};

/// Slack tries again at once, after a minute and after five.
const RETRIES: [Span; 3] = [Span::ZERO, Span::minutes(1), Span::minutes(5)];

/// What the bot answered: the HTTP status (zero for none) and the body.
pub(super) type Answered = (u16, Value);

/// Writes a message and queues the events that follow; says its ts.
pub(super) fn write(
    inner: &Inner,
    user: &str,
    channel: &str,
    thread_ts: Option<&str>,
    text: &str,
) -> Result<String, &'static str> {
    let now = inner.shared.clock.now();
    let mut workspace = inner.shared.lock();
    let found = workspace.cast.channel(channel).ok_or("channel_not_found")?;
    if !found.members.contains(user) || found.archived {
        return Err("not_in_channel");
    }
    let (direct, private, bot_is_in) =
        (found.direct, found.private, found.members.contains(BOT_USER));
    let team = workspace.cast.person(user).map_or(TEAM, |person| person.team());
    let channel = workspace.cast.channel(channel).map(|found| found.id.clone()).unwrap_or_default();
    let ts = workspace.ts(now);
    let mut event = json!({
        "type": "message", "user": user, "team": team, "text": text, "ts": ts, "event_ts": ts,
        "channel": channel, "client_msg_id": format!("c{ts}"),
        "channel_type": if direct { "im" } else if private { "group" } else { "channel" },
    });
    if let Some(root) = thread_ts {
        event["thread_ts"] = json!(root);
    }
    workspace.post(
        &channel,
        Message {
            ts: ts.clone(),
            user: user.to_owned(),
            text: text.to_owned(),
            blocks: Vec::new(),
            thread_ts: thread_ts.map(str::to_owned),
            metadata: None,
            edited: None,
            ephemeral_for: None,
        },
    );
    if bot_is_in {
        if text.contains(&format!("<@{BOT_USER}>")) && !direct {
            let mut mention = event.clone();
            mention["type"] = json!("app_mention");
            if let Some(fields) = mention.as_object_mut() {
                fields.remove("channel_type");
            }
            workspace.happens(mention, now);
        }
        workspace.happens(event, now);
    }
    drop(workspace);
    inner.shared.tell();
    Ok(ts)
}

/// Opens the app's Home tab.
pub(super) fn open_home(inner: &Inner, user: &str) {
    let now = inner.shared.clock.now();
    let mut workspace = inner.shared.lock();
    let channel = workspace.cast.direct(user).map(|found| found.id.clone()).unwrap_or_default();
    let ts = workspace.ts(now);
    let mut event = json!({
        "type": "app_home_opened", "user": user, "channel": channel, "tab": "home", "event_ts": ts,
    });
    // Slack tells what the tab shows if anything was published before.
    if let Some(home) = workspace.homes.get(user) {
        event["view"] = home.clone();
    }
    workspace.happens(event, now);
}

/// Presses the stop button of a conversation.
pub(super) fn stop(inner: &Inner, user: &str, channel: &str, thread: &str) {
    let now = inner.shared.clock.now();
    inner.shared.lock().stop(channel, thread, user, now);
    inner.shared.tell();
}

/// Delivers every event that is due, and says how many there were.
pub(super) async fn deliver_due(inner: &Inner) -> usize {
    let mut delivered = 0;
    loop {
        let now = inner.shared.clock.now();
        let next = {
            let mut workspace = inner.shared.lock();
            let at = workspace.events.iter().position(|event| event.due <= now);
            at.and_then(|at| workspace.events.remove(at))
        };
        let Some(mut event) = next else { break };
        let answer = inner.post.json("/slack/events", &event.body, &retry_headers(&event)).await;
        let what = "POST /slack/events".to_owned();
        let (sent, status) = (event.body.clone(), answer.status);
        let mut workspace = inner.shared.lock();
        workspace.journal.push(Passed { what, sent, status, answer: answer.body });
        if let Some(reason) = answer.failure
            && let Some(wait) = RETRIES.get(event.tries)
            && !answer.no_retry
        {
            event.tries += 1;
            event.failed = Some(reason);
            event.due = now.plus(*wait);
            workspace.events.push_back(event);
        }
        delivered += 1;
    }
    inner.shared.tell();
    delivered
}

/// A try that is not the first one says which it is, and what went wrong with the last one.
fn retry_headers(event: &Pending) -> Vec<(&'static str, String)> {
    event.failed.map_or_else(Vec::new, |reason| {
        vec![
            ("x-slack-retry-num", event.tries.to_string()),
            ("x-slack-retry-reason", reason.to_owned()),
        ]
    })
}

pub(super) fn user_object(inner: &Inner, user: &str) -> Value {
    let workspace = inner.shared.lock();
    let person = workspace.cast.person(user);
    let name = person.map(|person| person.name.to_lowercase()).unwrap_or_default();
    let team = person.map_or(TEAM, |person| person.team());
    json!({ "id": user, "username": name, "name": name, "team_id": team })
}

pub(super) fn response_place(channel: &str, user: &str, original: Option<&str>) -> ResponsePlace {
    let original = original.map(str::to_owned);
    ResponsePlace { channel: channel.to_owned(), user: user.to_owned(), original }
}

pub(super) async fn interact(inner: &Inner, payload: Value) -> Answered {
    let (status, answer) = inner.post.payload("/slack/interactions", &payload).await;
    let what = "POST /slack/interactions".to_owned();
    let passed = Passed { what, sent: payload, status, answer: answer.clone() };
    inner.shared.lock().journal.push(passed);
    inner.shared.tell();
    (status, answer)
}

fn view_payload(
    inner: &Inner,
    kind: &str,
    user: &str,
    view_id: &str,
    values: Value,
) -> Option<Value> {
    let now = inner.shared.clock.now();
    let who = user_object(inner, user);
    let mut workspace = inner.shared.lock();
    let trigger = workspace.trigger(user, now);
    let open = workspace.views.iter().find(|open| open.id == view_id && open.user == user)?;
    let mut view = open.object();
    view["state"] = json!({ "values": values });
    Some(json!({
        "type": kind, "user": who, "team": { "id": TEAM, "domain": "acme" }, "enterprise": null,
        "is_enterprise_install": false, "api_app_id": APP, "token": "unused",
        "trigger_id": trigger, "view": view, "response_urls": [], "is_cleared": false,
    }))
}

/// Sends a dialog. The bot's answer closes it, replaces it, or shows errors in it.
pub(super) async fn submit(inner: &Inner, user: &str, view_id: &str, fields: &Value) -> Answered {
    let mut values = json!({});
    for (block, inputs) in fields.as_object().into_iter().flatten() {
        for (action, text) in inputs.as_object().into_iter().flatten() {
            let typed = text.as_str().filter(|text| !text.is_empty());
            values[block][action] = json!({ "type": "plain_text_input", "value": typed });
        }
    }
    let Some(payload) = view_payload(inner, "view_submission", user, view_id, values) else {
        return (0, Value::Null);
    };
    let (status, answer) = interact(inner, payload).await;
    if status == 200 {
        let mut workspace = inner.shared.lock();
        match answer["response_action"].as_str() {
            Some("errors") => {}
            Some("update") => {
                let hash = workspace.hash(inner.shared.clock.now());
                if let Some(open) = workspace.views.iter_mut().find(|open| open.id == view_id) {
                    (open.view, open.hash) = (answer["view"].clone(), hash);
                }
            }
            Some("clear") => workspace.views.retain(|open| open.user != user),
            _ => workspace.views.retain(|open| open.id != view_id),
        }
    }
    inner.shared.tell();
    (status, answer)
}

/// Closes a dialog without sending it.
pub(super) async fn close(inner: &Inner, user: &str, view_id: &str) {
    let payload = view_payload(inner, "view_closed", user, view_id, json!({}));
    let told = payload.filter(|payload| payload["view"]["notify_on_close"] == true);
    inner.shared.lock().views.retain(|open| open.id != view_id || open.user != user);
    if let Some(payload) = told {
        interact(inner, payload).await;
    }
    inner.shared.tell();
}

/// Types a slash command; the answer is shown to the person alone.
pub(super) async fn command(
    inner: &Inner,
    user: &str,
    channel: &str,
    command: &str,
    text: &str,
) -> Answered {
    let now = inner.shared.clock.now();
    let (trigger, path) = {
        let mut workspace = inner.shared.lock();
        let place = response_place(channel, user, None);
        (workspace.trigger(user, now), workspace.response_path(place, now))
    };
    let fields = [
        ("token", "unused".to_owned()),
        ("team_id", TEAM.to_owned()),
        ("team_domain", "acme".to_owned()),
        ("channel_id", channel.to_owned()),
        ("channel_name", "channel".to_owned()),
        ("user_id", user.to_owned()),
        ("command", command.to_owned()),
        ("text", text.to_owned()),
        ("api_app_id", APP.to_owned()),
        ("is_enterprise_install", "false".to_owned()),
        ("response_url", format!("{}/response/{path}", inner.base_url)),
        ("trigger_id", trigger),
    ];
    let (status, answer) = inner.post.form("/slack/commands", &fields).await;
    if status == 200 && (answer["text"].is_string() || answer["blocks"].is_array()) {
        let mut workspace = inner.shared.lock();
        let ts = workspace.ts(now);
        workspace.post(
            channel,
            Message {
                ts,
                user: BOT_USER.to_owned(),
                text: answer["text"].as_str().unwrap_or_default().to_owned(),
                blocks: answer["blocks"].as_array().cloned().unwrap_or_default(),
                thread_ts: None,
                metadata: None,
                edited: None,
                ephemeral_for: Some(user.to_owned()),
            },
        );
    }
    inner.shared.tell();
    (status, answer)
}
