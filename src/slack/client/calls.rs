//! The calls, typed: `slack.post_message(&post).await` on any `dyn SlackApi`.

use serde_json::Value;

use super::{SlackApi, SlackError};
use crate::base::Timestamp;

/// Where a message stands or goes: a channel, and a thread in it or not.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    pub channel: String,
    pub thread_ts: Option<String>,
}

/// What a message is about, said in its metadata so that it can be found again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteKind {
    Card,
    Notice,
}

/// A message to post. Links are never unfurled.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    pub place: Place,
    /// The fallback for notifications and screen readers; never empty.
    pub text: String,
    pub blocks: Vec<Value>,
    /// The card's or notice's id, readable by everybody in the workspace.
    pub about: Option<(NoteKind, String)>,
}

/// A new face for a message of ours. Text and blocks always go together, because Slack drops the
/// blocks of an update that has only text.
#[derive(Clone, Debug, PartialEq)]
pub struct Update {
    pub channel: String,
    pub ts: String,
    pub text: String,
    pub blocks: Vec<Value>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Ephemeral {
    pub place: Place,
    pub user: String,
    pub text: String,
    pub blocks: Vec<Value>,
}

/// Where Slack put a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Posted {
    pub channel: String,
    pub ts: String,
}

/// Who we are in this workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    pub team: String,
    pub team_name: String,
    pub enterprise: Option<String>,
    pub org_wide: bool,
    pub bot_user: String,
    pub bot_id: String,
    pub app_id: Option<String>,
    pub scopes: Option<Vec<String>>,
    pub date: Option<Timestamp>,
}

/// An account, as the directory shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    pub id: String,
    pub team: Option<String>,
    pub enterprise: Option<String>,
    pub name: String,
    pub deleted: bool,
    pub bot: bool,
    pub guest: bool,
    pub invited: bool,
    pub stranger: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub id: String,
    pub name: Option<String>,
    pub is_member: bool,
    pub is_private: bool,
    pub is_archived: bool,
    pub is_ext_shared: bool,
}

/// Which message of ours to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetadataQuery<'a> {
    pub place: &'a Place,
    pub kind: NoteKind,
    pub id: &'a str,
    /// Not older than this.
    pub oldest: Timestamp,
}

pub type FoundMessage = Posted;

impl<'s> dyn SlackApi + 's {
    pub async fn post_message(&self, post: &Post) -> Result<Posted, SlackError> {
        todo!("{post:?}")
    }

    pub async fn update_message(&self, update: &Update) -> Result<(), SlackError> {
        todo!("{update:?}")
    }

    pub async fn post_ephemeral(&self, note: &Ephemeral) -> Result<(), SlackError> {
        todo!("{note:?}")
    }

    pub async fn open_view(&self, trigger_id: &str, view: Value) -> Result<(), SlackError> {
        todo!("{trigger_id} {view}")
    }

    pub async fn update_view(
        &self,
        view_id: &str,
        hash: Option<&str>,
        view: Value,
    ) -> Result<(), SlackError> {
        todo!("{view_id} {hash:?} {view}")
    }

    pub async fn publish_view(&self, user: &str, view: Value) -> Result<(), SlackError> {
        todo!("{user} {view}")
    }

    /// The id of the direct message channel with somebody.
    pub async fn open_dm(&self, user: &str) -> Result<String, SlackError> {
        todo!("{user}")
    }

    pub async fn auth_test(&self) -> Result<Identity, SlackError> {
        todo!()
    }

    pub async fn user_info(&self, user: &str) -> Result<Account, SlackError> {
        todo!("{user}")
    }

    pub async fn lookup_by_email(&self, email: &str) -> Result<Account, SlackError> {
        todo!("{email}")
    }

    pub async fn usergroup_users(&self, group: &str) -> Result<Vec<String>, SlackError> {
        todo!("{group}")
    }

    pub async fn channel_info(&self, channel: &str) -> Result<Channel, SlackError> {
        todo!("{channel}")
    }

    /// Every message of ours with this id in its metadata, oldest first.
    pub async fn find_by_metadata(
        &self,
        us: &Identity,
        query: &MetadataQuery<'_>,
    ) -> Result<Vec<FoundMessage>, SlackError> {
        todo!("{us:?} {query:?}")
    }
}
