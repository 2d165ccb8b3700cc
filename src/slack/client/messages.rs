//! Posting and changing messages.

use serde_json::{Value, json};

use super::{Method, SlackApi, SlackError};
use crate::base::{CardId, NoticeId};

/// Where a message stands or goes: a channel, and perhaps a thread in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Slack's id, `C…` or `D…`.
    pub channel: String,
    /// The ts of the thread's root.
    pub thread_ts: Option<String>,
}

/// What a message is: said in its metadata, so that a post whose outcome is unknown can be looked
/// up. Everybody in the workspace and every app can read that, so it is an id and nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum About {
    Card(CardId),
    Notice(NoticeId),
}

impl About {
    pub(super) fn event_type(&self) -> &'static str {
        match self {
            Self::Card(_) => "countersign_card",
            Self::Notice(_) => "countersign_notice",
        }
    }

    pub fn id(&self) -> &str {
        match self {
            Self::Card(id) => id.as_str(),
            Self::Notice(id) => id.as_str(),
        }
    }
}

/// A message to post. Links are never unfurled, names and channels never linked by guessing.
#[derive(Clone, Debug, PartialEq)]
pub struct Post {
    pub place: Place,
    /// What notifications and screen readers say; must not be empty.
    pub text: String,
    /// May be empty: then the text is the message.
    pub blocks: Vec<Value>,
    pub about: About,
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

/// A note that only one person sees, until they reload. Its delivery is not guaranteed.
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

impl dyn SlackApi + '_ {
    pub async fn post_message(&self, post: &Post) -> Result<Posted, SlackError> {
        let (event_type, id) = (post.about.event_type(), post.about.id());
        let arguments = json!({
            "channel": post.place.channel,
            "thread_ts": post.place.thread_ts,
            "text": post.text,
            "blocks": unless_empty(&post.blocks),
            "metadata": {"event_type": event_type, "event_payload": {"id": id}},
            "parse": "none",
            "link_names": false,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        let answer = self.call(Method::ChatPostMessage, arguments).await?;
        match (answer.body["channel"].as_str(), answer.body["ts"].as_str()) {
            (Some(channel), Some(ts)) => {
                Ok(Posted { channel: channel.to_owned(), ts: ts.to_owned() })
            }
            // It is posted, but we do not know where: the lookup will find it.
            _ => Err(SlackError::Unknown { why: "the answer names no message".to_owned() }),
        }
    }

    pub async fn update_message(&self, update: &Update) -> Result<(), SlackError> {
        let arguments = json!({
            "channel": update.channel,
            "ts": update.ts,
            "text": update.text,
            "blocks": update.blocks,
            "parse": "none",
            "link_names": false,
        });
        self.call(Method::ChatUpdate, arguments).await.map(drop)
    }

    /// Takes a message of ours away. It may be repeated: then Slack says `message_not_found`.
    pub async fn delete_message(&self, channel: &str, ts: &str) -> Result<(), SlackError> {
        let arguments = json!({ "channel": channel, "ts": ts });
        self.call(Method::ChatDelete, arguments).await.map(drop)
    }

    pub async fn post_ephemeral(&self, note: &Ephemeral) -> Result<(), SlackError> {
        let arguments = json!({
            "channel": note.place.channel,
            "thread_ts": note.place.thread_ts,
            "user": note.user,
            "text": note.text,
            "blocks": unless_empty(&note.blocks),
            "parse": "none",
            "link_names": false,
        });
        self.call(Method::ChatPostEphemeral, arguments).await.map(drop)
    }
}

fn unless_empty(blocks: &[Value]) -> Option<&[Value]> {
    (!blocks.is_empty()).then_some(blocks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slack::client::fake::FakeSlack;

    #[tokio::test]
    async fn a_post_names_its_card_and_unfurls_nothing() {
        let slack = FakeSlack::answering(|_, _| Ok(json!({"channel": "C1", "ts": "1.2"})));
        let post = Post {
            place: Place { channel: "C1".to_owned(), thread_ts: None },
            text: "Refund 80 EUR?".to_owned(),
            blocks: Vec::new(),
            about: About::Card(CardId::existing("crd_1")),
        };
        let posted = slack.as_dyn().post_message(&post).await;
        assert_eq!(posted, Ok(Posted { channel: "C1".to_owned(), ts: "1.2".to_owned() }));
        let (method, arguments) = slack.calls().remove(0);
        assert_eq!(method, Method::ChatPostMessage);
        assert_eq!(
            arguments,
            json!({
                "channel": "C1", "thread_ts": null, "text": "Refund 80 EUR?", "blocks": null,
                "metadata": {"event_type": "countersign_card", "event_payload": {"id": "crd_1"}},
                "parse": "none", "link_names": false, "unfurl_links": false, "unfurl_media": false,
            })
        );
    }

    #[tokio::test]
    async fn an_update_always_carries_blocks_even_none() {
        let slack = FakeSlack::answering(|_, _| Ok(json!({})));
        let update = Update {
            channel: "C1".to_owned(),
            ts: "1.2".to_owned(),
            text: "Approved".to_owned(),
            blocks: Vec::new(),
        };
        slack.as_dyn().update_message(&update).await.unwrap();
        assert_eq!(slack.calls()[0].1["blocks"], json!([]));
    }

    #[tokio::test]
    async fn a_post_that_went_somewhere_unnamed_is_an_unknown_outcome() {
        let slack = FakeSlack::answering(|_, _| Ok(json!({"channel": "C1"})));
        let post = Post {
            place: Place { channel: "C1".to_owned(), thread_ts: None },
            text: "x".to_owned(),
            blocks: Vec::new(),
            about: About::Card(CardId::existing("crd_1")),
        };
        let outcome = slack.as_dyn().post_message(&post).await;
        assert!(matches!(outcome, Err(SlackError::Unknown { .. })));
    }
}
