//! The Events API: one event a request, delivered at least once, in any order.

use super::{InboundError, Installation};
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
    /// `app_mention` does not say.
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
    /// As Slack sent it: mrkdwn with `&amp;`, `&lt;`, `&gt;`.
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

/// Somebody opened the app's Home tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HomeOpened {
    pub event_id: String,
    pub installation: Installation,
    pub user: SlackUser,
    /// `home` or `messages`.
    pub tab: String,
}

/// Reads a body sent to the events URL. `app` is our app id, once it is known.
pub fn parse_event(body: &VerifiedBody, app: Option<&str>) -> Result<Inbound, InboundError> {
    todo!("{body:?} {app:?}")
}
