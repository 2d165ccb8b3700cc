//! The policy: ordered rules; the first that matches decides.
//!
//! A condition that fails to evaluate never lets an action through: the rule then counts as
//! matching, and whatever it says, a human is asked — by the rule's own path if it has one, else by
//! the default one, else the action is denied. In particular a failing `deny` condition stops
//! there, so that no later `allow` can win.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::canonical::canonical;
use super::{Condition, ReasonRule, Requester, Risk, Separation, Stage, Terms};
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

/// The name that cards and records give to what holds when no rule matches.
const OTHERWISE: &str = "default";

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
        let digest = digest(&rules, otherwise.as_ref());
        Self { rules, otherwise, digest }
    }

    /// In hex; changes with any change of any rule.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// First match wins.
    pub fn rule_on(&self, proposal: &Proposal<'_>) -> Ruling {
        for rule in self.rules.iter().filter(|rule| rule.is_about(proposal)) {
            let holds = rule.when.as_ref().map_or(Ok(true), |condition| condition.holds(proposal));
            match holds {
                Ok(true) => return rule.says(),
                Ok(false) => {}
                Err(why) => return self.in_doubt(rule, &why.to_string()),
            }
        }
        match &self.otherwise {
            Some(ask) => {
                Ruling::Ask { rule: OTHERWISE.to_owned(), ask: ask.clone(), because: None }
            }
            None => Ruling::Deny {
                rule: OTHERWISE.to_owned(),
                reason: "no rule covers this action".to_owned(),
            },
        }
    }

    fn in_doubt(&self, rule: &Rule, why: &str) -> Ruling {
        let because = format!("the condition of the rule could not be evaluated: {why}");
        let own = match &rule.then {
            Then::Ask(ask) => Some(ask),
            Then::Allow | Then::Deny { .. } => None,
        };
        match own.or(self.otherwise.as_ref()) {
            Some(ask) => {
                let because = Some(because);
                Ruling::Ask { rule: rule.name.clone(), ask: ask.clone(), because }
            }
            None => Ruling::Deny { rule: rule.name.clone(), reason: because },
        }
    }

    /// Does the policy in force now still permit what was allowed, or approved under `terms`?
    ///
    /// What was allowed must be allowed now. What was approved must now be allowed, or asked of no
    /// more people, no other groups, and no higher risk than approved it.
    pub fn still_permits(&self, proposal: &Proposal<'_>, terms: Option<&Terms>) -> bool {
        match (self.rule_on(proposal), terms) {
            (Ruling::Allow { .. }, _) => true,
            (Ruling::Deny { .. }, _) | (Ruling::Ask { .. }, None) => false,
            (Ruling::Ask { ask, .. }, Some(terms)) => {
                ask.risk <= terms.risk
                    && (terms.separation == Separation::Required
                        || ask.separation == Separation::Waived)
                    && ask.path.len() <= terms.path.len()
                    && ask.path.iter().zip(&terms.path).all(|(now, then)| {
                        now.quorum <= then.quorum && now.approvers == then.approvers
                    })
            }
        }
    }
}

impl Rule {
    fn is_about(&self, proposal: &Proposal<'_>) -> bool {
        let tool = self.tools.is_empty()
            || self.tools.iter().any(|pattern| matches(pattern, proposal.tool));
        let agent = self.agents.is_empty()
            || proposal.agent.is_some_and(|agent| self.agents.iter().any(|name| name == agent));
        tool && agent
    }

    fn says(&self) -> Ruling {
        let rule = self.name.clone();
        match &self.then {
            Then::Allow => Ruling::Allow { rule },
            Then::Deny { reason } => Ruling::Deny { rule, reason: reason.clone() },
            Then::Ask(ask) => Ruling::Ask { rule, ask: ask.clone(), because: None },
        }
    }
}

fn matches(pattern: &str, tool: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => tool.starts_with(start),
        None => tool == pattern,
    }
}

fn digest(rules: &[Rule], otherwise: Option<&Ask>) -> String {
    let rules: Vec<Value> = rules
        .iter()
        .map(|rule| {
            json!({
                "name": rule.name, "tools": rule.tools, "agents": rule.agents,
                "when": rule.when.as_ref().map(Condition::source), "then": rule.then,
            })
        })
        .collect();
    // A policy is texts and whole numbers, which always have a canonical form.
    let form = canonical(&json!({ "rules": rules, "otherwise": otherwise }))
        .unwrap_or_else(|error| error.to_string());
    hex::encode(Sha256::digest(form))
}

#[cfg(test)]
mod tests;
