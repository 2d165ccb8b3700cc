//! Channels and direct messages.

use serde_json::{Value, json};

use super::{Method, SlackApi, SlackError};

/// A channel, as far as showing a request there depends on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Channel {
    pub id: String,
    /// Without the `#`; direct messages have none.
    pub name: Option<String>,
    /// Whether we are in it.
    pub is_member: bool,
    pub is_private: bool,
    pub is_archived: bool,
    /// Whether people of other companies see it, or are invited to.
    pub is_ext_shared: bool,
}

impl Channel {
    /// Whether this is Slack's id of a channel and no name: names are lower-case, ids upper-case.
    pub fn is_id(written: &str) -> bool {
        let id_like = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        written.starts_with(['C', 'D', 'G']) && written.len() > 8 && written.bytes().all(id_like)
    }

    pub(super) fn read(channel: &Value) -> Result<Self, SlackError> {
        let flag = |field: &str| channel[field] == true;
        let id = channel["id"]
            .as_str()
            .ok_or_else(|| SlackError::Unknown { why: "the answer names no channel".to_owned() })?;
        Ok(Self {
            id: id.to_owned(),
            name: channel["name"].as_str().map(str::to_owned),
            is_member: flag("is_member") || flag("is_im"),
            is_private: flag("is_private") || flag("is_im") || flag("is_mpim"),
            is_archived: flag("is_archived"),
            is_ext_shared: flag("is_ext_shared") || flag("is_pending_ext_shared"),
        })
    }
}

impl dyn SlackApi + '_ {
    pub async fn channel_info(&self, channel: &str) -> Result<Channel, SlackError> {
        let answer = self.call(Method::ConversationsInfo, json!({"channel": channel})).await?;
        Channel::read(&answer.body["channel"])
    }

    /// Every channel we can see that is not archived; private ones only when we are in them.
    pub async fn channels(&self) -> Result<Vec<Channel>, SlackError> {
        let arguments = json!({
            "types": "public_channel,private_channel",
            "exclude_archived": true,
            "limit": 1000,
        });
        let channels = self.all_pages(Method::ConversationsList, arguments, "channels", 50).await?;
        channels.iter().map(Channel::read).collect()
    }

    /// Everybody in a channel: user ids, bots and people of other companies included.
    pub async fn channel_members(&self, channel: &str) -> Result<Vec<String>, SlackError> {
        let arguments = json!({"channel": channel, "limit": 1000});
        let members =
            self.all_pages(Method::ConversationsMembers, arguments, "members", 20).await?;
        Ok(members.iter().filter_map(Value::as_str).map(str::to_owned).collect())
    }
}
