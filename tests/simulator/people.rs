//! People write, press what they see or saw, and send dialogs; Slack brings it to the desk, late,
//! twice, in another order, and again when it got no answer.

use countersign::base::{Clock, Timestamp};
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::Sha256;

use crate::chance::Chance;
use crate::replica::{Outside, SECRET};
use crate::slack::{APP, BOT_USER, Button, PEOPLE, TEAM, direct, team_of};

const APPROVERS: [&str; 5] = ["U0000JONA", "U0000LENA", "U0000INES", "U000PRIYA", "U0000VERA"];

/// What Slack has to bring to the desk.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub path: &'static str,
    pub body: String,
    pub what: String,
    /// Under which key the desk remembers it.
    pub key: String,
    /// Slack repeats events until they are answered; of clicks nothing is known.
    pub is_event: bool,
    pub tries: u32,
    pub acked: bool,
    /// The person was told something instead.
    pub told: bool,
}

impl Delivery {
    /// As Slack signs it at this moment.
    pub fn signed(&self, at: Timestamp) -> axum::http::Request<axum::body::Body> {
        let timestamp = at.as_seconds().to_string();
        let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(format!("v0:{timestamp}:").as_bytes());
        mac.update(self.body.as_bytes());
        let kind = match self.is_event {
            true => "application/json",
            false => "application/x-www-form-urlencoded",
        };
        axum::http::Request::post(self.path)
            .header("content-type", kind)
            .header("x-slack-request-timestamp", timestamp)
            .header("x-slack-signature", format!("v0={}", hex::encode(mac.finalize().into_bytes())))
            .body(axum::body::Body::from(self.body.clone()))
            .unwrap()
    }
}

fn event(id: String, event: Value, what: String) -> Delivery {
    let body = json!({
        "type": "event_callback", "team_id": TEAM, "api_app_id": APP, "event_id": id,
        "event": event, "authorizations": [
            { "team_id": TEAM, "user_id": BOT_USER, "is_bot": true, "is_enterprise_install": false },
        ],
    });
    Delivery {
        path: "/slack/events",
        body: body.to_string(),
        what,
        key: format!("event:{id}"),
        is_event: true,
        tries: 0,
        acked: false,
        told: false,
    }
}

fn interaction(payload: &Value, what: String, key: String) -> Delivery {
    let payload = payload.to_string();
    let body = format!("payload={}", utf8_percent_encode(&payload, NON_ALPHANUMERIC));
    let path = "/slack/interactions";
    Delivery { path, body, what, key, is_event: false, tries: 0, acked: false, told: false }
}

/// Somebody asks the agent for something, perhaps in a thread where they asked before.
pub fn writes(outside: &Outside, chance: &mut Chance, nth: usize) -> Option<Delivery> {
    let user = chance.pick(&["U00000MIA", "U00000SAM", "U00000GIL", "U0000JONA"])?;
    let verb = chance.pick(&[
        "pay", "pay", "refund", "delete", "delete", "send", "send", "tip", "tip", "look up",
        "label", "label", "pay both",
    ])?;
    let text = format!("{verb} a{nth} b{nth}");
    let channel = direct(user);
    let now = outside.clock.now();
    let mut slack = outside.slack.look();
    let roots = slack.messages.iter().filter(|m| m.channel == channel && m.thread_ts.is_none());
    let roots: Vec<String> = roots.map(|root| root.ts.clone()).collect();
    let thread = if chance.permille(250) { chance.pick(&roots) } else { None };
    let ts = slack.writes(now, &channel, thread.as_deref(), &text);
    let told = json!({
        "type": "message", "user": user, "team": TEAM, "channel": channel, "channel_type": "im",
        "text": text, "ts": ts, "thread_ts": thread, "event_ts": ts,
    });
    Some(event(format!("Ev{nth:06}"), told, format!("{user} writes `{text}`")))
}

/// Somebody presses Slack's stop button in a thread.
pub fn stops(outside: &Outside, chance: &mut Chance, nth: usize) -> Option<Delivery> {
    let slack = outside.slack.look();
    let roots = slack.messages.iter().filter(|m| !m.from_bot && m.thread_ts.is_none());
    let roots: Vec<_> = roots.map(|root| (root.channel.clone(), root.ts.clone())).collect();
    let (channel, ts) = chance.pick(&roots)?;
    let owner = format!("U{}", &channel[1..]);
    let user = if chance.permille(800) { owner } else { "U0000INES".to_owned() };
    let told = json!({
        "type": "agent_session_stopped", "user": user, "channel": channel, "thread_ts": ts,
        "team": TEAM,
    });
    let mut delivery = event(format!("Ev{nth:06}"), told, format!("{user} stops {ts}"));
    // What was stopped is not remembered unless there was something to stop.
    delivery.told = true;
    Some(delivery)
}

/// Somebody opens our Home tab.
pub fn opens_home(chance: &mut Chance, nth: usize) -> Option<Delivery> {
    let (user, _, _) = chance.pick(&PEOPLE)?;
    let told = json!({
        "type": "app_home_opened", "user": user, "team": team_of(user), "channel": direct(user),
        "tab": "home", "event_ts": format!("{nth}.000000"),
    });
    let mut delivery = event(format!("Ev{nth:06}"), told, format!("{user} opens the Home tab"));
    // It changes nothing, so there is nothing to remember.
    delivery.told = true;
    Some(delivery)
}

/// Somebody presses a button that was shown at some time.
pub fn presses(outside: &Outside, chance: &mut Chance, nth: usize) -> Option<Delivery> {
    let now = outside.clock.now();
    let mut slack = outside.slack.look();
    // Most press what they see now; some look at a page that is behind.
    let seen = match chance.permille(800) {
        true => slack.live_buttons(),
        false => slack.buttons.clone(),
    };
    let is = |action: &str, button: &&Button| button.button["action_id"] == action;
    let wanted = ["approve", "approve", "approve", "reject", "withdraw"][chance.below(5)];
    let seen: Vec<Button> = seen.iter().filter(|button| is(wanted, button)).cloned().collect();
    let button = chance.pick(&seen)?;
    let requester = format!("U{}", &button.channel[1..]);
    let user = match button.channel.starts_with('D') && chance.permille(800) {
        true => PEOPLE.iter().map(|(id, _, _)| *id).find(|id| *id == requester)?,
        false if chance.permille(700) => chance.pick(&APPROVERS)?,
        false => chance.pick(&PEOPLE)?.0,
    };
    let (trigger, action_ts) = (format!("trigger.{nth}"), slack.ts(now));
    slack.triggers.push((trigger.clone(), user.to_owned()));
    let pressed = &button.button;
    let action = pressed["action_id"].as_str().unwrap_or_default();
    let payload = json!({
        "type": "block_actions", "api_app_id": APP, "is_enterprise_install": false,
        "team": { "id": TEAM }, "enterprise": null, "trigger_id": trigger,
        "user": { "id": user, "team_id": team_of(user) },
        "container": {
            "type": "message", "message_ts": button.ts, "channel_id": button.channel,
            "thread_ts": button.thread_ts, "is_ephemeral": false,
        },
        "channel": { "id": button.channel }, "response_url": format!("https://hooks.slack.com/{nth}"),
        "actions": [{
            "type": "button", "action_id": action, "block_id": pressed["block_id"],
            "value": pressed["value"], "action_ts": action_ts,
        }],
    });
    let team = team_of(user);
    let (channel, ts) = (&button.channel, &button.ts);
    let key = format!("click:{team}:{user}:{channel}:{ts}:{action}:{action_ts}");
    Some(interaction(&payload, format!("{user} presses {action} on {channel}/{ts}"), key))
}

/// Somebody sends a dialog that was opened for them, perhaps once more.
pub fn sends(outside: &Outside, chance: &mut Chance, nth: usize) -> Option<Delivery> {
    let mut slack = outside.slack.look();
    let fresh: Vec<usize> =
        (0..slack.dialogs.len()).filter(|&at| !slack.dialogs[at].sent).collect();
    let again = chance.permille(150);
    let at = if again { chance.below(slack.dialogs.len()) } else { chance.pick(&fresh)? };
    let dialog = slack.dialogs.get_mut(at)?;
    dialog.sent = true;
    let dialog = dialog.clone();
    let (user, id, view) = (&dialog.user, &dialog.id, &dialog.view);
    view.get("submit")?;
    let reason = if chance.permille(100) { "" } else { "looked at it" };
    let trigger = format!("sent.{nth}");
    let payload = json!({
        "type": "view_submission", "api_app_id": APP, "is_enterprise_install": false,
        "team": { "id": TEAM }, "enterprise": null, "trigger_id": trigger,
        "user": { "id": user, "team_id": team_of(user) },
        "view": {
            "id": id, "hash": "1.1", "callback_id": view["callback_id"],
            "private_metadata": view["private_metadata"], "app_installed_team_id": TEAM,
            "state": { "values": { "reason": {
                "text": { "type": "plain_text_input", "value": reason },
            }}},
        },
    });
    let what = format!("{user} sends {id} {}", view["callback_id"].as_str().unwrap_or_default());
    Some(interaction(&payload, what, format!("view:{id}:1.1:{trigger}")))
}
