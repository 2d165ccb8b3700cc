//! The Web API methods we use, and what Slack's reference says of each.

use crate::base::Span;

/// How often a method may be called in a minute, at least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    /// 20 a minute.
    Two,
    /// 50 a minute.
    Three,
    /// 100 a minute.
    Four,
    /// A rule of its own; several hundred a minute are fine.
    Special,
}

/// A Web API method. All are sent as `POST` with a form body, as the official SDKs do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    AuthTest,
    ChatPostMessage,
    ChatUpdate,
    ChatDelete,
    ChatPostEphemeral,
    ChatStartStream,
    ChatAppendStream,
    ChatStopStream,
    AgentsSessionsSetStatus,
    ConversationsInfo,
    ConversationsList,
    ConversationsMembers,
    ConversationsHistory,
    ConversationsReplies,
    UsersInfo,
    UsersLookupByEmail,
    UsergroupsUsersList,
    ViewsOpen,
    ViewsPublish,
}

impl Method {
    /// As it stands in the URL.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AuthTest => "auth.test",
            Self::ChatPostMessage => "chat.postMessage",
            Self::ChatUpdate => "chat.update",
            Self::ChatDelete => "chat.delete",
            Self::ChatPostEphemeral => "chat.postEphemeral",
            Self::ChatStartStream => "chat.startStream",
            Self::ChatAppendStream => "chat.appendStream",
            Self::ChatStopStream => "chat.stopStream",
            Self::AgentsSessionsSetStatus => "agents.sessions.setStatus",
            Self::ConversationsInfo => "conversations.info",
            Self::ConversationsList => "conversations.list",
            Self::ConversationsMembers => "conversations.members",
            Self::ConversationsHistory => "conversations.history",
            Self::ConversationsReplies => "conversations.replies",
            Self::UsersInfo => "users.info",
            Self::UsersLookupByEmail => "users.lookupByEmail",
            Self::UsergroupsUsersList => "usergroups.users.list",
            Self::ViewsOpen => "views.open",
            Self::ViewsPublish => "views.publish",
        }
    }

    pub const fn tier(self) -> Tier {
        match self {
            Self::AuthTest | Self::ChatPostMessage => Tier::Special,
            Self::ChatStartStream
            | Self::ChatStopStream
            | Self::ConversationsList
            | Self::UsergroupsUsersList => Tier::Two,
            Self::ChatUpdate
            | Self::ChatDelete
            | Self::AgentsSessionsSetStatus
            | Self::ConversationsInfo
            | Self::ConversationsHistory
            | Self::ConversationsReplies
            | Self::UsersLookupByEmail => Tier::Three,
            Self::ChatPostEphemeral
            | Self::ChatAppendStream
            | Self::ConversationsMembers
            | Self::UsersInfo
            | Self::ViewsOpen
            | Self::ViewsPublish => Tier::Four,
        }
    }

    /// Whether somebody who clicked waits for the answer.
    pub(in crate::slack) const fn somebody_waits(self) -> bool {
        match self {
            Self::UsersInfo | Self::UsergroupsUsersList | Self::ViewsOpen => true,
            Self::AuthTest
            | Self::ChatPostMessage
            | Self::ChatUpdate
            | Self::ChatDelete
            | Self::ChatPostEphemeral
            | Self::ChatStartStream
            | Self::ChatAppendStream
            | Self::ChatStopStream
            | Self::AgentsSessionsSetStatus
            | Self::ConversationsInfo
            | Self::ConversationsList
            | Self::ConversationsMembers
            | Self::ConversationsHistory
            | Self::ConversationsReplies
            | Self::UsersLookupByEmail
            | Self::ViewsPublish => false,
        }
    }

    /// How long an answer is waited for: `timeout`, or less where a click waits for it and Slack
    /// gives us 3 s in all.
    pub(super) fn patience(self, timeout: Span) -> Span {
        match self.somebody_waits() {
            true => timeout.min(Span::millis(2_000)),
            false => timeout,
        }
    }
}
