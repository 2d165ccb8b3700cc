//! Slack as this simulation knows it: people, channels, messages, and a journal of its own. It is
//! written apart from the sandbox, so that two people's readings of Slack check the desk.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard};

use countersign::base::Timestamp;
use countersign::slack::client::Method;
use serde_json::{Value, json};

use crate::booth::{claim, claims};

pub const TEAM: &str = "T0SIMULATE";
pub const APP: &str = "A0SIMULATE";
pub const BOT_USER: &str = "U0BOTUSER0";
const BOT: &str = "B0BOTPROF0";

/// `(user, team, what the account is)`.
pub const PEOPLE: [(&str, &str, &str); 10] = [
    ("U00000MIA", TEAM, "member"),
    ("U00000SAM", TEAM, "member"),
    ("U0000JONA", TEAM, "member"),
    ("U0000LENA", TEAM, "member"),
    ("U0000INES", TEAM, "member"),
    ("U000PRIYA", TEAM, "member"),
    ("U0000VERA", TEAM, "member"),
    ("U00000GIL", TEAM, "guest"),
    ("U0000DORA", TEAM, "deactivated"),
    ("U0000OLAF", "T0STRANGER", "outsider"),
];
pub const CHANNELS: [(&str, &str); 2] = [("C0APPROVAL", "approvals"), (PRIVATE, "managers")];
/// Who is not in it cannot even see that it exists.
const PRIVATE: &str = "C0MANAGERS";

#[derive(Clone, Debug)]
pub struct Message {
    pub channel: String,
    pub ts: String,
    pub thread_ts: Option<String>,
    pub from_bot: bool,
    pub text: String,
    pub blocks: Value,
    pub metadata: Value,
    pub deleted: bool,
    pub grows: bool,
    /// Nobody may change it any more: another one takes its place.
    pub frozen: bool,
    /// The newest claim when it was posted.
    pub claims: u64,
}

/// A button as somebody saw it; the message may look different by now.
#[derive(Clone, Debug)]
pub struct Button {
    pub channel: String,
    pub ts: String,
    pub thread_ts: Option<String>,
    pub button: Value,
}

/// A dialog that was opened for somebody.
#[derive(Clone, Debug)]
pub struct Dialog {
    pub user: String,
    pub id: String,
    pub view: Value,
    pub sent: bool,
}

#[derive(Debug, Default)]
pub struct Workspace {
    pub messages: Vec<Message>,
    pub buttons: Vec<Button>,
    pub dialogs: Vec<Dialog>,
    /// Channels that are archived for now.
    pub archived: BTreeSet<String>,
    /// Channels that we were thrown out of.
    pub outside: BTreeSet<String>,
    /// Our token is worth nothing until somebody installs us again.
    pub uninstalled: bool,
    /// Members who are deactivated for now.
    pub away: BTreeSet<String>,
    /// Who pressed what a trigger comes from.
    pub triggers: Vec<(String, String)>,
    /// Cards and notices that were posted although they were there.
    pub doubled: Vec<String>,
    /// Those of which there are two for a reason.
    strays: BTreeSet<String>,
    ticks: u64,
}

#[derive(Debug, Default)]
pub struct Slack(Mutex<Workspace>);

/// An answer, or Slack's error code.
pub type Answered = Result<Value, &'static str>;

impl Slack {
    pub fn look(&self) -> MutexGuard<'_, Workspace> {
        self.0.lock().unwrap()
    }
}

impl Workspace {
    /// A ts of this moment, unlike any other.
    pub fn ts(&mut self, now: Timestamp) -> String {
        self.ticks += 1;
        format!("{}.{:06}", now.as_seconds(), self.ticks)
    }

    pub fn find(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        let here = |message: &&mut Message| message.channel == channel && message.ts == ts;
        self.messages.iter_mut().find(here).filter(|message| !message.deleted)
    }

    pub fn writes(
        &mut self,
        now: Timestamp,
        channel: &str,
        thread: Option<&str>,
        text: &str,
    ) -> String {
        let ts = self.ts(now);
        self.messages.push(Message {
            channel: channel.to_owned(),
            ts: ts.clone(),
            thread_ts: thread.map(str::to_owned),
            from_bot: false,
            text: text.to_owned(),
            blocks: json!([]),
            metadata: Value::Null,
            deleted: false,
            grows: false,
            frozen: false,
            claims: 0,
        });
        ts
    }

    /// Everything is again as it was set up.
    pub fn set_right(&mut self) {
        self.archived.clear();
        self.outside.clear();
        self.uninstalled = false;
    }

    pub fn answer(&mut self, method: Method, given: &Value, now: Timestamp) -> Answered {
        if self.uninstalled {
            return Err("token_revoked");
        }
        let text = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        match method {
            Method::AuthTest => Ok(json!({
                "ok": true, "team_id": TEAM, "team": "Simulated", "user_id": BOT_USER,
                "bot_id": BOT, "app_id": APP, "is_enterprise_install": false,
            })),
            Method::ChatPostMessage => self.post(given, now),
            Method::ChatUpdate => self.update(given),
            Method::ChatDelete => self.delete(&text("channel"), &text("ts")),
            Method::ChatPostEphemeral => self.writable(&text("channel")).map(|()| json!({})),
            Method::ChatStartStream => {
                let mut started = given.clone();
                started["text"] = json!(grown(given));
                let posted = self.post(&started, now)?;
                let ts = posted["ts"].as_str().unwrap_or_default().to_owned();
                self.find(&text("channel"), &ts).ok_or("message_not_found")?.grows = true;
                Ok(posted)
            }
            Method::ChatAppendStream | Method::ChatStopStream => self.grow(method, given),
            Method::AgentsSessionsSetStatus => {
                self.writable(&text("channel_id")).map(|()| json!({}))
            }
            Method::ConversationsList => Ok(json!({ "channels": self.channels() })),
            Method::ConversationsInfo => self.info(&text("channel")),
            Method::ConversationsHistory | Method::ConversationsReplies => self.history(given),
            Method::ConversationsMembers => Ok(json!({ "members": [BOT_USER] })),
            Method::UsersInfo => self.user(&text("user")),
            Method::UsersLookupByEmail => {
                let user = text("email").split('@').next().unwrap_or_default().to_owned();
                self.user(&user).map_err(|_| "users_not_found")
            }
            Method::UsergroupsUsersList => Ok(json!({ "users": ["U000PRIYA", "U0000VERA"] })),
            Method::ViewsOpen => self.open(&text("trigger_id"), &given["view"]),
            Method::ViewsPublish => Ok(json!({})),
        }
    }

    fn inside(&self, channel: &str) -> Result<(), &'static str> {
        match self.outside.contains(channel) {
            true if channel == PRIVATE => Err("channel_not_found"),
            true => Err("not_in_channel"),
            false => Ok(()),
        }
    }

    fn writable(&self, channel: &str) -> Result<(), &'static str> {
        self.inside(channel)?;
        if self.archived.contains(channel) {
            return Err("is_archived");
        }
        let known = CHANNELS.iter().any(|(id, _)| *id == channel) || channel.starts_with('D');
        if known { Ok(()) } else { Err("channel_not_found") }
    }

    fn post(&mut self, given: &Value, now: Timestamp) -> Answered {
        let channel = given["channel"].as_str().unwrap_or_default().to_owned();
        self.writable(&channel)?;
        if given["text"].as_str().is_none_or(str::is_empty) && given["chunks"].is_null() {
            return Err("no_text");
        }
        self.watch_for_doubles(&channel, given);
        let ts = self.ts(now);
        self.messages.push(Message {
            claims: claims(),
            channel: channel.clone(),
            ts: ts.clone(),
            thread_ts: given["thread_ts"].as_str().map(str::to_owned),
            from_bot: true,
            text: given["text"].as_str().unwrap_or_default().to_owned(),
            blocks: given["blocks"].clone(),
            metadata: given["metadata"].clone(),
            deleted: false,
            grows: false,
            frozen: false,
        });
        self.see(&channel, &ts);
        Ok(json!({ "channel": channel, "ts": ts }))
    }

    /// What was there before a worker took the card is not posted again by it. Of two that have it
    /// at the same time, because one stood still past its lease, that is not promised.
    fn watch_for_doubles(&mut self, channel: &str, given: &Value) {
        let id = &given["metadata"]["event_payload"]["id"];
        let same = self.messages.iter().find(|message| {
            message.channel == channel
                && !message.deleted
                && !id.is_null()
                && message.metadata["event_payload"]["id"] == *id
        });
        let Some(same) = same else { return };
        if same.frozen || same.claims >= claim() {
            self.strays.insert(id.to_string());
        } else if !self.strays.contains(&id.to_string()) {
            self.doubled.push(format!("{id} in {channel}"));
        }
    }

    /// From now on nobody may change what was to be updated.
    pub fn freeze(&mut self, given: &Value) {
        let named = |name: &str| given[name].as_str().unwrap_or_default().to_owned();
        if let Some(message) = self.find(&named("channel"), &named("ts")) {
            message.frozen = true;
        }
    }

    fn update(&mut self, given: &Value) -> Answered {
        let channel = given["channel"].as_str().unwrap_or_default().to_owned();
        let ts = given["ts"].as_str().unwrap_or_default().to_owned();
        self.writable(&channel)?;
        let message = self.find(&channel, &ts).ok_or("message_not_found")?;
        if message.grows {
            return Err("streaming_state_conflict");
        }
        if message.frozen {
            return Err("cant_update_message");
        }
        message.text = given["text"].as_str().unwrap_or_default().to_owned();
        message.blocks = given["blocks"].clone();
        self.see(&channel, &ts);
        Ok(json!({ "channel": channel, "ts": ts }))
    }

    fn delete(&mut self, channel: &str, ts: &str) -> Answered {
        self.writable(channel)?;
        let message = self.find(channel, ts).ok_or("message_not_found")?;
        if message.grows {
            return Err("streaming_state_conflict");
        }
        message.deleted = true;
        Ok(json!({ "channel": channel, "ts": ts }))
    }

    fn grow(&mut self, method: Method, given: &Value) -> Answered {
        let channel = given["channel"].as_str().unwrap_or_default().to_owned();
        let ts = given["ts"].as_str().unwrap_or_default().to_owned();
        self.writable(&channel)?;
        let message = self.find(&channel, &ts).ok_or("message_not_found")?;
        if !message.grows {
            return Err("message_not_in_streaming_state");
        }
        message.text.push_str(&grown(given));
        message.grows = method == Method::ChatAppendStream;
        Ok(json!({ "channel": channel, "ts": ts }))
    }

    /// People see the buttons of a message, and may press them long after.
    fn see(&mut self, channel: &str, ts: &str) {
        let Some(message) = self.find(channel, ts).cloned() else { return };
        let blocks = message.blocks.as_array().into_iter().flatten();
        let shown = blocks.flat_map(|block| {
            let elements = block["elements"].as_array().cloned().unwrap_or_default();
            let name = block["block_id"].as_str().unwrap_or("actions").to_owned();
            elements.into_iter().filter(|element| element["type"] == "button").map(
                move |mut button| {
                    button["block_id"] = json!(name);
                    button
                },
            )
        });
        let shown: Vec<Button> = shown
            .map(|button| Button {
                channel: message.channel.clone(),
                ts: message.ts.clone(),
                thread_ts: message.thread_ts.clone(),
                button,
            })
            .collect();
        self.buttons.extend(shown);
    }

    /// The buttons that are on messages at this moment.
    pub fn live_buttons(&self) -> Vec<Button> {
        let live = |button: &&Button| {
            let shown = self.messages.iter().find(|message| {
                message.ts == button.ts && message.channel == button.channel && !message.deleted
            });
            let token = button.button["value"].as_str().unwrap_or("none");
            shown.is_some_and(|message| message.blocks.to_string().contains(token))
        };
        self.buttons.iter().filter(live).cloned().collect()
    }

    fn open(&mut self, trigger: &str, view: &Value) -> Answered {
        let known = self.triggers.iter().find(|(id, _)| id == trigger);
        let (_, user) = known.cloned().ok_or("expired_trigger_id")?;
        let id = format!("V{:09}", self.dialogs.len() + 1);
        self.dialogs.push(Dialog { user, id: id.clone(), view: view.clone(), sent: false });
        Ok(json!({ "view": { "id": id } }))
    }

    fn channels(&self) -> Vec<Value> {
        let seen = |id: &str| self.inside(id) != Err("channel_not_found");
        let open = CHANNELS.iter().filter(|(id, _)| !self.archived.contains(*id) && seen(id));
        let listed = open.map(
            |(id, name)| json!({ "id": id, "name": name, "is_member": self.inside(id).is_ok() }),
        );
        listed.collect()
    }

    fn info(&self, channel: &str) -> Answered {
        let (id, name) =
            CHANNELS.iter().find(|(id, _)| *id == channel).ok_or("channel_not_found")?;
        let archived = self.archived.contains(*id);
        let inside = self.inside(id);
        if inside == Err("channel_not_found") {
            return Err("channel_not_found");
        }
        Ok(json!({ "channel": {
            "id": id, "name": name, "is_member": inside.is_ok(), "is_archived": archived,
        }}))
    }

    fn history(&self, given: &Value) -> Answered {
        let channel = given["channel"].as_str().unwrap_or_default();
        self.inside(channel)?;
        let thread = given["ts"].as_str();
        let oldest: f64 = given["oldest"].as_str().and_then(|at| at.parse().ok()).unwrap_or(0.0);
        let here = self.messages.iter().filter(|message| {
            message.channel == channel
                && !message.deleted
                && message.thread_ts.as_deref() == thread
                && message.ts.parse::<f64>().is_ok_and(|at| at >= oldest)
        });
        let listed = here.map(|message| {
            let mut listed = json!({
                "ts": message.ts, "text": message.text, "metadata": message.metadata,
            });
            if message.from_bot {
                listed["bot_id"] = json!(BOT);
            }
            listed
        });
        Ok(json!({ "messages": listed.collect::<Vec<_>>() }))
    }

    fn user(&self, user: &str) -> Answered {
        let known = PEOPLE.iter().find(|(id, _, _)| *id == user).ok_or("user_not_found")?;
        let (id, team, kind) = *known;
        let deleted = kind == "deactivated" || self.away.contains(id);
        Ok(json!({ "user": {
            "id": id, "team_id": team, "name": id.to_lowercase(), "deleted": deleted,
            "is_bot": false, "is_restricted": kind == "guest", "is_ultra_restricted": false,
            "is_stranger": kind == "outsider", "profile": { "email": format!("{id}@example.com") },
        }}))
    }
}

/// Somebody's direct messages with the bot.
pub fn direct(user: &str) -> String {
    format!("D{}", &user[1..])
}

pub fn team_of(user: &str) -> &'static str {
    PEOPLE.iter().find(|(id, _, _)| *id == user).map_or(TEAM, |(_, team, _)| team)
}

fn grown(given: &Value) -> String {
    let chunks = given["chunks"].as_array().into_iter().flatten();
    chunks.filter_map(|chunk| chunk["text"].as_str()).collect()
}
