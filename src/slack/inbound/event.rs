//! The Events API: one event a request, delivered at least once, in any order.

use serde::Deserialize;
use serde_json::Value;

use super::{InboundError, Installation, body, for_our_app, required};
use crate::approval::SlackUser;
use crate::slack::signature::VerifiedBody;

/// What a signed request to the events URL says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inbound {
    /// Slack checks the URL: answer with the challenge as plain text.
    UrlVerification {
        challenge: String,
    },
    /// A person wrote in a place the bot can read.
    Message(Message),
    /// A person mentioned the bot. The same post may arrive as a [`Inbound::Message`] too.
    AppMention(Message),
    HomeOpened(HomeOpened),
    /// A person pressed Slack's stop button.
    SessionStopped(SessionStopped),
    /// The app was removed from a workspace, or its bot token was revoked. `kind` is Slack's word.
    InstallationEnded {
        kind: String,
        team: Option<String>,
    },
    /// Slack dropped events of this minute (unix seconds).
    RateLimited {
        minute: i64,
    },
    /// Nothing for us: answer 200. `kind` is for the log.
    Ignored {
        kind: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChannelKind {
    Public,
    Private,
    Direct,
    GroupDirect,
    /// A mention does not say where it stands.
    Unsaid,
}

/// A person's own post: never a bot's, never an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub event_id: String,
    pub installation: Installation,
    pub user: SlackUser,
    pub channel: String,
    pub kind: ChannelKind,
    /// As Slack sent it; [`super::as_typed`] gives what the person typed.
    pub text: String,
    pub ts: String,
    /// The root's ts when this is a reply.
    pub thread_ts: Option<String>,
}

impl Message {
    /// The ts of the thread's root: this message itself when it starts one.
    pub fn root(&self) -> &str {
        self.thread_ts.as_deref().unwrap_or(&self.ts)
    }

    /// `event:<event_id>`: the same for each redelivery.
    pub fn event_key(&self) -> String {
        format!("event:{}", self.event_id)
    }

    /// `message:<channel>:<ts>`: the same for the message and the mention of one post.
    pub fn message_key(&self) -> String {
        format!("message:{}:{}", self.channel, self.ts)
    }
}

/// Somebody opened one of the app's own tabs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeOpened {
    pub event_id: String,
    pub installation: Installation,
    pub user: SlackUser,
    /// `home` or `messages`.
    pub tab: String,
}

/// Somebody pressed the stop button that Slack shows while an agent works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionStopped {
    pub event_id: String,
    pub installation: Installation,
    pub user: SlackUser,
    pub channel: String,
    /// The ts of the conversation's root.
    pub thread_ts: String,
}

impl SessionStopped {
    /// `event:<event_id>`: the same for each redelivery.
    pub fn event_key(&self) -> String {
        format!("event:{}", self.event_id)
    }
}

/// Reads a body sent to the events URL. `app` is our app id, once it is known.
pub fn parse_event(body: &VerifiedBody, app: Option<&str>) -> Result<Inbound, InboundError> {
    let envelope: Envelope = body::json(body)?;
    match envelope.kind.as_str() {
        "url_verification" => {
            let challenge = required(envelope.challenge, "challenge")?;
            Ok(Inbound::UrlVerification { challenge })
        }
        "app_rate_limited" => {
            for_our_app(envelope.api_app_id.as_deref(), app)?;
            let minute = envelope.minute_rate_limited;
            Ok(Inbound::RateLimited {
                minute: minute.ok_or(InboundError::Field("minute_rate_limited"))?,
            })
        }
        "event_callback" => {
            for_our_app(envelope.api_app_id.as_deref(), app)?;
            envelope.event()
        }
        other => Ok(Inbound::Ignored { kind: other.to_owned() }),
    }
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "type")]
    kind: String,
    challenge: Option<String>,
    minute_rate_limited: Option<i64>,
    api_app_id: Option<String>,
    team_id: Option<String>,
    enterprise_id: Option<String>,
    event_id: Option<String>,
    authorizations: Option<Vec<Authorization>>,
    event: Option<Value>,
}

#[derive(Deserialize)]
struct Authorization {
    team_id: Option<String>,
    enterprise_id: Option<String>,
    user_id: Option<String>,
    #[serde(default)]
    is_enterprise_install: bool,
}

/// The inner fields of the kinds of event we act on.
#[derive(Deserialize)]
struct Inner {
    user: Option<String>,
    user_team: Option<String>,
    source_team: Option<String>,
    team: Option<String>,
    bot_id: Option<String>,
    subtype: Option<String>,
    #[serde(default)]
    hidden: bool,
    edited: Option<Value>,
    channel: Option<String>,
    channel_type: Option<String>,
    text: Option<String>,
    ts: Option<String>,
    thread_ts: Option<String>,
    tab: Option<String>,
}

impl Envelope {
    fn event(self) -> Result<Inbound, InboundError> {
        let event = self.event.as_ref().ok_or(InboundError::Field("event"))?;
        let kind = event["type"].as_str().ok_or(InboundError::Field("event.type"))?.to_owned();
        if kind == "app_uninstalled" || kind == "tokens_revoked" && revokes_a_bot(event) {
            return Ok(Inbound::InstallationEnded { kind, team: self.team_id });
        }
        let known = ["message", "app_mention", "app_home_opened", "agent_session_stopped"];
        if !known.contains(&kind.as_str()) {
            return Ok(Inbound::Ignored { kind });
        }
        let inner = Inner::deserialize(event).map_err(|_| InboundError::Field("event"))?;
        let authorization = self.authorizations.as_deref().unwrap_or_default().first();
        if let Some(why) = inner.not_a_persons_own(authorization) {
            return Ok(Inbound::Ignored { kind: format!("{kind} ({why})") });
        }

        let installation = Installation::new(
            self.team_id.or_else(|| authorization.and_then(|a| a.team_id.clone())),
            self.enterprise_id.or_else(|| authorization.and_then(|a| a.enterprise_id.clone())),
            authorization.is_some_and(|a| a.is_enterprise_install),
        );
        let event_id = required(self.event_id, "event_id")?;
        let team = inner.user_team.or(inner.source_team).or(inner.team);
        let user = installation
            .user(required(inner.user, "event.user")?, team)
            .ok_or(InboundError::Field("event.team"))?;
        if kind == "app_home_opened" {
            let tab = required(inner.tab, "event.tab")?;
            return Ok(Inbound::HomeOpened(HomeOpened { event_id, installation, user, tab }));
        }
        if kind == "agent_session_stopped" {
            return Ok(Inbound::SessionStopped(SessionStopped {
                event_id,
                installation,
                user,
                channel: required(inner.channel, "event.channel")?,
                thread_ts: required(inner.thread_ts, "event.thread_ts")?,
            }));
        }
        let ts = required(inner.ts, "event.ts")?;
        let message = Message {
            event_id,
            installation,
            user,
            channel: required(inner.channel, "event.channel")?,
            kind: channel_kind(inner.channel_type.as_deref()),
            text: inner.text.unwrap_or_default(),
            // A root that has replies names itself as its thread.
            thread_ts: inner.thread_ts.filter(|root| *root != ts),
            ts,
        };
        if kind == "message" {
            Ok(Inbound::Message(message))
        } else {
            Ok(Inbound::AppMention(message))
        }
    }
}

impl Inner {
    /// Why this is not something a person said themselves, just now. No bot's words ever start a
    /// run: modern bots have a `bot_id` and no subtype, old ones the subtype `bot_message`.
    fn not_a_persons_own(&self, authorization: Option<&Authorization>) -> Option<String> {
        let us = authorization.and_then(|a| a.user_id.as_deref());
        if self.bot_id.is_some() {
            return Some("bot".to_owned());
        }
        match self.subtype.as_deref() {
            None | Some("file_share" | "thread_broadcast") => {}
            Some(subtype) => return Some(subtype.to_owned()),
        }
        match self.user.as_deref() {
            None | Some("USLACKBOT") => return Some("nobody".to_owned()),
            user if user == us => return Some("ourselves".to_owned()),
            Some(_) => {}
        }
        (self.hidden || self.edited.is_some()).then(|| "edit".to_owned())
    }
}

/// Tokens of people are none of ours.
fn revokes_a_bot(event: &Value) -> bool {
    event["tokens"]["bot"].as_array().is_some_and(|bots| !bots.is_empty())
}

fn channel_kind(channel_type: Option<&str>) -> ChannelKind {
    match channel_type {
        Some("channel") => ChannelKind::Public,
        Some("group") => ChannelKind::Private,
        Some("im" | "app_home") => ChannelKind::Direct,
        Some("mpim") => ChannelKind::GroupDirect,
        Some(_) | None => ChannelKind::Unsaid,
    }
}
