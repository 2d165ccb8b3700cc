//! `policies:` and `default:` which actions may run, which may not, and who is asked.

use super::{Located, Position};
use crate::approval::{Condition, ReasonRule, Risk, Separation};
use crate::base::Span;

/// One rule. The first that matches decides.
#[derive(Clone, Debug)]
pub struct Rule {
    pub name: Located<String>,
    /// Tool names; `*` at the end matches any rest. Empty matches every tool.
    pub tools: Vec<Located<String>>,
    /// Agent names. Empty matches every agent.
    pub agents: Vec<Located<String>>,
    pub when: Option<Located<Condition>>,
    pub then: Then,
}

/// What a matching rule says.
#[derive(Clone, Debug)]
pub enum Then {
    Allow,
    Deny { reason: String },
    Ask(Ask),
}

/// How to ask.
#[derive(Clone, Debug)]
pub struct Ask {
    pub at: Position,
    pub reason: ReasonRule,
    /// An approved action must start within this.
    pub valid_for: Span,
    pub risk: Risk,
    pub separation: Separation,
    /// At least one stage.
    pub path: Vec<Stage>,
}

/// One level of a path.
#[derive(Clone, Debug)]
pub struct Stage {
    pub at: Position,
    /// Names of groups.
    pub approvers: Vec<Located<String>>,
    /// A channel's name in this file.
    pub place: Located<String>,
    pub within: Located<Span>,
    pub remind: Vec<Located<Span>>,
    pub quorum: Located<u32>,
}

/// What happens to an action no rule matches.
#[derive(Clone, Debug)]
pub enum Otherwise {
    Deny,
    Ask(Ask),
}
