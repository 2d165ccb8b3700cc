//! The Web API methods we use, and what Slack's reference says of each.

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verb {
    Get,
    Post,
}

/// How often a method may be called in a minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tier {
    Two,
    Three,
    Four,
    /// A rule of its own.
    Special,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    AuthTest,
    ChatPostMessage,
    ChatUpdate,
    ChatPostEphemeral,
    ConversationsOpen,
    ConversationsInfo,
    ConversationsList,
    ConversationsMembers,
    ConversationsHistory,
    ConversationsReplies,
    UsersInfo,
    UsersLookupByEmail,
    UsergroupsUsersList,
    ViewsOpen,
    ViewsUpdate,
    ViewsPublish,
}
