//! What Slack's reference says of each method: its scopes, its tier, whether it takes JSON.

use Tier::{Four, Special, Three, Two};

/// How often a method may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    Two,
    Three,
    Four,
    Special,
}

pub(super) struct Method {
    pub(super) name: &'static str,
    /// Any of these suffices; none is needed where there are none.
    pub(super) scopes: &'static [&'static str],
    pub(super) tier: Tier,
    pub(super) takes_json: bool,
}

const fn method(
    name: &'static str,
    scopes: &'static [&'static str],
    tier: Tier,
    takes_json: bool,
) -> Method {
    Method { name, scopes, tier, takes_json }
}

const WRITE: &[&str] = &["chat:write"];
const READ: &[&str] = &["channels:read", "groups:read", "im:read", "mpim:read"];
const HISTORY: &[&str] = &["channels:history", "groups:history", "im:history", "mpim:history"];
const MANAGE: &[&str] = &["channels:manage", "groups:write", "im:write", "mpim:write"];

const METHODS: [Method; 32] = [
    method("agents.sessions.setStatus", WRITE, Three, true),
    method("api.test", &[], Four, true),
    method("apps.manifest.update", &[], Three, true),
    method("auth.test", &[], Special, true),
    method("bots.info", &["users:read"], Three, false),
    method("chat.appendStream", WRITE, Four, true),
    method("chat.delete", WRITE, Three, true),
    method("chat.getPermalink", &[], Special, false),
    method("chat.postEphemeral", WRITE, Four, true),
    method("chat.postMessage", WRITE, Special, true),
    method("chat.startStream", WRITE, Two, true),
    method("chat.stopStream", WRITE, Two, true),
    method("chat.update", WRITE, Three, true),
    method("conversations.history", HISTORY, Three, true),
    method("conversations.info", READ, Three, false),
    method("conversations.join", &["channels:join"], Three, true),
    method("conversations.leave", MANAGE, Three, true),
    method("conversations.list", READ, Two, false),
    method("conversations.members", READ, Four, false),
    method("conversations.open", MANAGE, Three, true),
    method("conversations.replies", HISTORY, Three, false),
    method("team.info", &["team:read"], Three, true),
    method("usergroups.list", &["usergroups:read"], Two, false),
    method("usergroups.users.list", &["usergroups:read"], Two, false),
    method("users.conversations", READ, Three, false),
    method("users.info", &["users:read"], Four, false),
    method("users.list", &["users:read"], Two, false),
    method("users.lookupByEmail", &["users:read.email"], Three, false),
    method("views.open", &[], Four, true),
    method("views.publish", &[], Four, true),
    method("views.push", &[], Four, true),
    method("views.update", &[], Four, true),
];

pub(super) fn find(name: &str) -> Option<&'static Method> {
    METHODS.iter().find(|method| method.name == name)
}
