//! The state of the workspace: messages, views, triggers, and the journal of all that passed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};
use tokio::sync::watch;

use super::api::Arguments;
use super::cast::{APP, BOT_ID, BOT_USER, Cast, TEAM};
use super::faults::{Fault, Outage};
use crate::base::{Span, Timestamp, TurnableClock};

/// How long a trigger opens a dialog, and a response URL takes answers.
const TRIGGER_LIFE: Span = Span::seconds(3);
const RESPONSE_LIFE: Span = Span::minutes(30);
const RESPONSE_USES: u32 = 5;
/// A growing message ends by itself after this, and a session that works after that. The first
/// number is not published; others have measured it.
pub(super) const STREAM_LIFE: Span = Span::minutes(5);
const SESSION_LIFE: Span = Span::minutes(60);

/// What Countersign's manifest asks for.
const SCOPES: [&str; 13] = [
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "groups:history",
    "groups:read",
    "im:history",
    "im:write",
    "usergroups:read",
    "users:read",
    "users:read.email",
];

/// Shared by the server, the page and the drivers.
#[derive(Clone)]
pub(super) struct Shared {
    pub(super) clock: Arc<TurnableClock>,
    state: Arc<Mutex<Workspace>>,
    pub(super) changed: watch::Sender<u64>,
}

/// One exchange with the bot. Headers, and so tokens and signatures, are not kept.
#[derive(Clone, Debug)]
pub struct Passed {
    /// `chat.postMessage`, or `POST /slack/events`.
    pub what: String,
    pub sent: Value,
    pub status: u16,
    pub answer: Value,
}

#[derive(Clone, Debug)]
pub(super) struct Message {
    pub(super) ts: String,
    pub(super) user: String,
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    pub(super) thread_ts: Option<String>,
    pub(super) metadata: Option<Value>,
    /// Who changed the text and when, as Slack tells it.
    pub(super) edited: Option<Value>,
    pub(super) ephemeral_for: Option<String>,
}

/// A dialog that somebody has open.
#[derive(Clone, Debug)]
pub(super) struct OpenView {
    pub(super) id: String,
    pub(super) user: String,
    pub(super) view: Value,
    pub(super) hash: String,
}

/// An event on its way to the bot.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) body: Value,
    pub(super) due: Timestamp,
    pub(super) tries: usize,
    /// What went wrong with the last try.
    pub(super) failed: Option<&'static str>,
}

struct Trigger {
    id: String,
    user: String,
    made: Timestamp,
    used: bool,
}

/// What a response URL is for.
#[derive(Clone)]
pub(super) struct ResponsePlace {
    pub(super) channel: String,
    pub(super) user: String,
    /// The message whose button was pressed.
    pub(super) original: Option<String>,
}

struct ResponseUrl {
    path: String,
    place: ResponsePlace,
    made: Timestamp,
    uses: u32,
}

pub(super) struct Workspace {
    pub(super) cast: Cast,
    pub(super) messages: BTreeMap<String, Vec<Message>>,
    pub(super) views: Vec<OpenView>,
    pub(super) homes: BTreeMap<String, Value>,
    pub(super) events: VecDeque<Pending>,
    pub(super) journal: Vec<Passed>,
    pub(super) faults: BTreeMap<String, VecDeque<Fault>>,
    pub(super) outage: Option<Outage>,
    /// Calls that are still on their way, and when they arrive.
    pub(super) late: Vec<(Timestamp, &'static str, Arguments)>,
    /// By method, and by channel posted in: when its rate limit would be at rest again.
    pub(super) full_at: BTreeMap<String, Timestamp>,
    /// Messages that still grow, by channel and ts, and since when.
    pub(super) streams: BTreeMap<(String, String), Timestamp>,
    /// The task lists of messages that grew, by channel and ts.
    pub(super) tasks: BTreeMap<(String, String), Vec<Value>>,
    /// Messages that somebody stopped while they grew.
    pub(super) stopped: BTreeSet<(String, String)>,
    /// What is said of conversations as a whole, by channel and thread, and since when.
    sessions: BTreeMap<(String, String), (String, Timestamp)>,
    /// What the app may do.
    pub(super) scopes: Vec<String>,
    triggers: Vec<Trigger>,
    responses: Vec<ResponseUrl>,
    count: u64,
}

impl Shared {
    pub(super) fn new(clock: Arc<TurnableClock>, cast: Cast) -> Self {
        let workspace = Workspace {
            cast,
            messages: BTreeMap::new(),
            views: Vec::new(),
            homes: BTreeMap::new(),
            events: VecDeque::new(),
            journal: Vec::new(),
            faults: BTreeMap::new(),
            outage: None,
            late: Vec::new(),
            full_at: BTreeMap::new(),
            streams: BTreeMap::new(),
            tasks: BTreeMap::new(),
            stopped: BTreeSet::new(),
            sessions: BTreeMap::new(),
            scopes: SCOPES.map(str::to_owned).to_vec(),
            triggers: Vec::new(),
            responses: Vec::new(),
            count: 0,
        };
        let state = Arc::new(Mutex::new(workspace));
        Self { clock, state, changed: watch::Sender::new(0) }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Workspace> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }
}

impl Workspace {
    /// A text that names one thing, in the order of making.
    pub(super) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A message ts: the second, and a count that makes it unique.
    pub(super) fn ts(&mut self, now: Timestamp) -> String {
        format!("{}.{:06}", now.as_seconds(), self.next())
    }

    pub(super) fn post(&mut self, channel: &str, message: Message) {
        self.messages.entry(channel.to_owned()).or_default().push(message);
    }

    pub(super) fn find(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.messages.get_mut(channel)?.iter_mut().find(|message| message.ts == ts)
    }

    /// Whether a message still grows.
    pub(super) fn is_growing(&self, channel: &str, ts: &str, now: Timestamp) -> bool {
        let begun = self.streams.get(&(channel.to_owned(), ts.to_owned()));
        begun.is_some_and(|&begun| now.since(begun) <= STREAM_LIFE)
    }

    pub(super) fn set_session(
        &mut self,
        channel: &str,
        thread: &str,
        status: &str,
        now: Timestamp,
    ) {
        let session = (channel.to_owned(), thread.to_owned());
        self.sessions.insert(session, (status.to_owned(), now));
    }

    /// How a conversation stands: nothing when nobody has said.
    pub(super) fn session(&self, channel: &str, thread: &str, now: Timestamp) -> Option<&str> {
        let (status, since) = self.sessions.get(&(channel.to_owned(), thread.to_owned()))?;
        let over = status == "processing" && now.since(*since) > SESSION_LIFE;
        Some(if over { "active" } else { status })
    }

    /// Somebody presses the stop button: what grows there takes nothing more, and the bot is told.
    pub(super) fn stop(&mut self, channel: &str, thread: &str, user: &str, now: Timestamp) {
        let messages = self.messages.get(channel).into_iter().flatten();
        let growing: Vec<String> = messages
            .filter(|message| message.thread_ts.as_deref() == Some(thread))
            .filter(|message| self.is_growing(channel, &message.ts, now))
            .map(|message| message.ts.clone())
            .collect();
        for ts in &growing {
            let stream = (channel.to_owned(), ts.clone());
            self.streams.remove(&stream);
            self.stopped.insert(stream);
        }
        self.set_session(channel, thread, "active", now);
        let ts = self.ts(now);
        let event = json!({
            "type": "agent_session_stopped", "channel": channel, "user": user,
            "thread_ts": thread, "streaming_message_ts": growing, "event_ts": ts,
        });
        self.happens(event, now);
    }

    /// A trigger that opens one dialog within three seconds.
    pub(super) fn trigger(&mut self, user: &str, made: Timestamp) -> String {
        let id = format!("trigger.{}", self.next());
        self.triggers.push(Trigger { id: id.clone(), user: user.to_owned(), made, used: false });
        id
    }

    /// Uses a trigger up and says whose it is, or why it does not work.
    pub(super) fn pull(&mut self, id: &str, now: Timestamp) -> Result<String, &'static str> {
        let found = self.triggers.iter_mut().find(|trigger| trigger.id == id);
        let trigger = found.ok_or("invalid_trigger_id")?;
        if trigger.used {
            return Err("exchanged_trigger_id");
        }
        if now.since(trigger.made) > TRIGGER_LIFE {
            return Err("expired_trigger_id");
        }
        trigger.used = true;
        Ok(trigger.user.clone())
    }

    /// A text that changes with every change of a view.
    pub(super) fn hash(&mut self, now: Timestamp) -> String {
        format!("{}.{:08}", now.as_seconds(), self.next())
    }

    pub(super) fn response_path(&mut self, place: ResponsePlace, made: Timestamp) -> String {
        let path = format!("response-{}", self.next());
        self.responses.push(ResponseUrl { path: path.clone(), place, made, uses: 0 });
        path
    }

    /// Where an answer to a response URL goes, if it still takes one.
    pub(super) fn respond(&mut self, path: &str, now: Timestamp) -> Option<ResponsePlace> {
        let url = self.responses.iter_mut().find(|url| url.path == path)?;
        url.uses += 1;
        let alive = url.uses <= RESPONSE_USES && now.since(url.made) <= RESPONSE_LIFE;
        alive.then(|| url.place.clone())
    }

    /// Queues an event for the bot.
    pub(super) fn happens(&mut self, event: Value, now: Timestamp) {
        let id = format!("Ev{:08}", self.next());
        let body = json!({
            "type": "event_callback", "token": "unused", "team_id": TEAM, "api_app_id": APP,
            "event": event, "event_id": id, "event_time": now.as_seconds(),
            "authorizations": [{
                "enterprise_id": null, "team_id": TEAM, "user_id": BOT_USER, "is_bot": true,
                "is_enterprise_install": false,
            }],
            "is_ext_shared_channel": false,
        });
        self.events.push_back(Pending { body, due: now, tries: 0, failed: None });
    }
}

impl OpenView {
    /// The view object of the Web API: what was sent, with everything that was left out.
    pub(super) fn object(&self) -> Value {
        let mut object = json!({
            "private_metadata": "", "callback_id": "", "external_id": "", "close": null,
            "submit": null, "clear_on_close": false, "notify_on_close": false,
        });
        for (name, value) in self.view.as_object().into_iter().flatten() {
            object[name] = value.clone();
        }
        object["id"] = json!(self.id);
        object["hash"] = json!(self.hash);
        object["team_id"] = json!(TEAM);
        object["app_id"] = json!(APP);
        object["app_installed_team_id"] = json!(TEAM);
        object["bot_id"] = json!(BOT_ID);
        object["root_view_id"] = json!(self.id);
        object["previous_view_id"] = Value::Null;
        object["state"] = json!({ "values": {} });
        object
    }
}

impl Message {
    /// The message object of the Web API. Only those who ask for it get the metadata's payload.
    pub(super) fn object(&self, with_metadata: bool) -> Value {
        let mut object = json!({
            "type": "message", "ts": self.ts, "user": self.user, "text": self.text, "team": TEAM,
        });
        if !self.blocks.is_empty() {
            object["blocks"] = json!(self.blocks);
        }
        if let Some(thread) = &self.thread_ts {
            object["thread_ts"] = json!(thread);
        }
        if self.user == BOT_USER {
            object["bot_id"] = json!(BOT_ID);
            object["app_id"] = json!(APP);
        }
        if let Some(edited) = &self.edited {
            object["edited"] = edited.clone();
        }
        if let Some(metadata) = &self.metadata {
            object["metadata"] = match with_metadata {
                true => metadata.clone(),
                false => json!({ "event_type": metadata["event_type"] }),
            };
        }
        object
    }
}
