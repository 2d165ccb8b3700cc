//! The policy: ordered rules; the first that matches decides.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{ReasonRule, Requester, Risk, Separation, Stage};
use crate::base::{Span, Timestamp};

/// An action as a rule sees it. CEL names: `args`, `tool`, `agent`, `requester`, `target`.
#[derive(Clone, Debug)]
pub struct Proposal<'a> {
    pub tool: &'a str,
    pub agent: Option<&'a str>,
    pub arguments: &'a Value,
    pub requester: &'a Requester,
    pub target: &'a str,
    pub now: Timestamp,
}

/// A compiled CEL condition.
#[derive(Clone, Debug)]
pub struct Condition {
    // The compiled program joins the source here.
    source: String,
}

/// A condition that cannot be used, found when the policy is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConditionError {
    #[error("{0}")]
    Syntax(String),
    #[error("it names `{0}`, which does not exist; use args, tool, agent, requester or target")]
    UnknownName(String),
    #[error("it nests one list function inside another, which can take for ever")]
    NestedComprehension,
}

impl Condition {
    pub fn compile(source: &str) -> Result<Self, ConditionError> {
        todo!("{source}")
    }

    pub fn source(&self) -> &str {
        &self.source
    }
}

/// What a matching rule says.
#[derive(Clone, Debug)]
pub enum Then {
    Allow,
    Deny { reason: String },
    Ask(Ask),
}

/// How to ask.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    pub path: Vec<Stage>,
    pub reason: ReasonRule,
    pub separation: Separation,
    pub valid_for: Span,
    pub risk: Risk,
}

#[derive(Clone, Debug)]
pub struct Rule {
    pub name: String,
    /// Tool names; `*` at the end matches any rest. Empty matches every tool.
    pub tools: Vec<String>,
    /// Agent names; empty matches every agent.
    pub agents: Vec<String>,
    pub when: Option<Condition>,
    pub then: Then,
}

/// The whole rule set.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<Rule>,
    /// What holds when no rule matches, or when a condition fails: ask, or else deny.
    otherwise: Option<Ask>,
    digest: String,
}

/// What the policy says about one proposal.
#[derive(Clone, Debug)]
pub enum Ruling {
    Allow { rule: String },
    Deny { rule: String, reason: String },
    /// `because` is set when a condition failed to evaluate and asking is the safe answer.
    Ask { rule: String, ask: Ask, because: Option<String> },
}

impl Policy {
    /// Takes the rules in order and the digest over all of them.
    pub fn new(rules: Vec<Rule>, otherwise: Option<Ask>) -> Self {
        todo!("{rules:?} {otherwise:?}")
    }

    /// In hex; changes with any change of any rule.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// First match wins. A condition that fails asks by its own rule if it can, else by the
    /// default path; it never allows.
    pub fn rule_on(&self, proposal: &Proposal<'_>) -> Ruling {
        todo!("{proposal:?}")
    }
}
