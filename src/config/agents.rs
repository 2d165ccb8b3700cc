//! `agents:` who answers in Slack, with which model, instructions and tools.

use super::Located;

/// One agent.
#[derive(Clone, Debug)]
pub struct Agent {
    pub name: Located<String>,
    /// A name from `models`.
    pub model: Located<String>,
    pub instructions: String,
    /// Names from `tools`. It can call no other.
    pub tools: Vec<Located<String>>,
    /// Names from `channels` where it answers when it is mentioned.
    pub channels: Vec<Located<String>>,
    /// Answers direct messages, and mentions in channels that no agent names.
    pub is_default: bool,
}
