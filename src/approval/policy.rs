//! The policy: ordered rules; the first that matches decides.
//!
//! A rule matches when its tools, its agents and its condition do. A condition that cannot be
//! worked out is neither a yes nor a no, so nothing after it may decide either: the call is asked
//! about, by the rule's own path if it has one, else by the default path, and is denied when there
//! is none. So a failing `allow` never allows, and a failing `deny` never lets a later `allow` win.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::canonical::canonical;
use super::{
    Approvers, Condition, Envelope, ReasonRule, Requester, Risk, Separation, Stage, Terms,
};
use crate::base::Span;

/// Keeps a policy's digest apart from every other SHA-256 in the house.
const DOMAIN: &str = "countersign/policy/1\n";
/// The rule named when none matched.
const DEFAULT: &str = "default";

/// An action as a rule sees it. CEL names: `args`, `tool`, `agent`, `requester`, `target`.
#[derive(Clone, Copy, Debug)]
pub struct Proposal<'a> {
    pub tool: &'a str,
    pub agent: Option<&'a str>,
    pub arguments: &'a Value,
    pub requester: &'a Requester,
    pub target: &'a str,
}

/// The proposal that was sealed: what the policy in force is asked about before the start.
impl<'a> From<&'a Envelope> for Proposal<'a> {
    fn from(envelope: &'a Envelope) -> Self {
        Self {
            tool: &envelope.tool.name,
            agent: envelope.agent.as_deref(),
            arguments: &envelope.arguments,
            requester: &envelope.requester,
            target: &envelope.target,
        }
    }
}

/// What a matching rule says.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
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

#[derive(Clone, Debug, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ruling {
    Allow {
        rule: String,
    },
    Deny {
        rule: String,
        reason: String,
    },
    /// `because` is set when a condition failed to evaluate and asking is the safe answer.
    Ask {
        rule: String,
        ask: Ask,
        because: Option<String>,
    },
}

impl Policy {
    /// Takes the rules in order and the digest over all of them.
    pub fn new(rules: Vec<Rule>, otherwise: Option<Ask>) -> Self {
        let form = canonical(&(&rules, &otherwise))
            .expect("rules hold texts and whole numbers only, which have a canonical form");
        let digest = Sha256::new().chain_update(DOMAIN).chain_update(form).finalize();
        Self { rules, otherwise, digest: hex::encode(digest) }
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
        for rule in self.rules.iter().filter(|rule| rule.covers(proposal)) {
            match rule.when.as_ref().map_or(Ok(true), |when| when.holds(proposal)) {
                Ok(true) => return rule.ruling(),
                Ok(false) => {}
                Err(why) => return self.unsure(rule, &why),
            }
        }
        match &self.otherwise {
            Some(ask) => Ruling::Ask { rule: DEFAULT.to_owned(), ask: ask.clone(), because: None },
            None => {
                Ruling::Deny { rule: DEFAULT.to_owned(), reason: "no rule covers it".to_owned() }
            }
        }
    }

    /// Does the policy in force still permit what was permitted before? Asked before the start,
    /// with the terms of the approval, or with nothing when a rule allowed the action unasked.
    ///
    /// An approval holds as long as the policy would not ask for more now: every stage that could
    /// have given it must still be one, with the same approvers or more and the same quorum or
    /// less; nor may a reason, the separation of duties, a higher risk or a shorter validity be
    /// asked for that were not. Where and how long people are asked does not matter any more.
    pub fn still_permits(&self, proposal: &Proposal<'_>, approved: Option<&Terms>) -> bool {
        match (self.rule_on(proposal), approved) {
            (Ruling::Allow { .. }, _) => true,
            (Ruling::Deny { .. }, _) | (Ruling::Ask { .. }, None) => false,
            (Ruling::Ask { ask, .. }, Some(terms)) => ask.is_met_by(terms),
        }
    }

    fn unsure(&self, rule: &Rule, why: &str) -> Ruling {
        let because = format!("the condition of `{}` could not be worked out: {why}", rule.name);
        let own = match &rule.then {
            Then::Ask(ask) => Some(ask),
            Then::Allow | Then::Deny { .. } => None,
        };
        match own.or(self.otherwise.as_ref()) {
            Some(ask) => {
                Ruling::Ask { rule: rule.name.clone(), ask: ask.clone(), because: Some(because) }
            }
            None => Ruling::Deny { rule: rule.name.clone(), reason: because },
        }
    }
}

impl Rule {
    fn covers(&self, proposal: &Proposal<'_>) -> bool {
        let tool = self.tools.is_empty()
            || self.tools.iter().any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => proposal.tool.starts_with(start),
                None => proposal.tool == pattern,
            });
        let agent = self.agents.is_empty()
            || self.agents.iter().any(|agent| proposal.agent == Some(agent.as_str()));
        tool && agent
    }

    fn ruling(&self) -> Ruling {
        let rule = self.name.clone();
        match &self.then {
            Then::Allow => Ruling::Allow { rule },
            Then::Deny { reason } => Ruling::Deny { rule, reason: reason.clone() },
            Then::Ask(ask) => Ruling::Ask { rule, ask: ask.clone(), because: None },
        }
    }
}

impl Ask {
    /// Would this ask for no more than was asked for?
    pub fn is_met_by(&self, terms: &Terms) -> bool {
        let met = |granted: &Stage| self.path.iter().any(|asked| asked.is_met_by(granted));
        let reason = self.reason == ReasonRule::Optional || terms.reason == ReasonRule::Required;
        let separation =
            self.separation == Separation::Waived || terms.separation == Separation::Required;
        !terms.path.is_empty()
            && terms.path.iter().all(met)
            && reason
            && separation
            && self.risk <= terms.risk
            && self.valid_for >= terms.valid_for
    }
}

impl Stage {
    /// Would every approval of `granted` have been one of this stage as well?
    fn is_met_by(&self, granted: &Stage) -> bool {
        let Approvers(groups) = &self.approvers;
        granted.approvers.0.iter().all(|group| groups.contains(group))
            && self.quorum <= granted.quorum
    }
}

#[cfg(test)]
mod tests;
