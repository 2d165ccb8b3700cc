//! `policies:` and `default:` which actions may run, which may not, and who is asked.

mod condition;
mod path;
mod terms;

use serde::Deserialize;

use crate::approval::Condition;
use crate::config::reading::{Complained, Located, OneOrMany, Position, Reader};

pub use path::{Ask, Otherwise, Stage};

pub(super) use condition::refuse_cel;
pub(super) use path::{AskSection, OtherwiseSection};

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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RuleSection {
    name: Located<String>,
    #[serde(default)]
    tool: OneOrMany,
    #[serde(default)]
    agent: OneOrMany,
    /// CEL over `args`, `tool`, `agent`, `requester` and `target`.
    when: Option<Located<String>>,
    allow: Option<Located<bool>>,
    deny: Option<Located<String>>,
    ask: Option<Located<AskSection>>,
}

pub(super) fn read_rules(rules: Vec<RuleSection>, reader: &mut Reader<'_>) -> Vec<Rule> {
    let mut names: Vec<String> = Vec::new();
    let read = rules.into_iter().filter_map(|rule| {
        if rule.name.trim().is_empty() {
            let text = "the rule has an empty name";
            reader.complain(rule.name.at, text, "say in a few words what it covers");
        } else if names.contains(&rule.name) {
            let text = format!("another rule is called `{}` too", rule.name.value);
            reader.complain(rule.name.at, text, "give each its own name: cards and logs use it");
        }
        names.push(rule.name.value.clone());
        rule.read(reader).ok()
    });
    read.collect()
}

impl RuleSection {
    fn read(self, reader: &mut Reader<'_>) -> Result<Rule, Complained> {
        let when = self.when.map(|when| condition::read(&when, reader)).transpose();
        let then = then(self.name.at, self.allow, self.deny, self.ask, reader);
        let (tools, agents) = (self.tool.0, self.agent.0);
        for tool in &tools {
            if tool.strip_suffix('*').unwrap_or(tool).contains('*') {
                let text = format!("`{}` has a `*` that is not at its end", tool.value);
                reader.complain(tool.at, text, "list the tools, or keep only the `*` at the end");
            }
        }
        Ok(Rule { name: self.name, tools, agents, when: when?, then: then? })
    }
}

fn then(
    at: Position,
    allow: Option<Located<bool>>,
    deny: Option<Located<String>>,
    ask: Option<Located<AskSection>>,
    reader: &mut Reader<'_>,
) -> Result<Then, Complained> {
    match (allow, deny, ask) {
        (Some(allow), None, None) if allow.value => Ok(Then::Allow),
        (Some(allow), None, None) => {
            let mend = "write `deny: reason`, so that people learn why";
            Err(reader.complain(allow.at, "`allow: false` says nothing", mend))
        }
        (None, Some(reason), None) if reason.trim().is_empty() => {
            let mend = "say why in a sentence: the agent passes it on";
            Err(reader.complain(reason.at, "`deny` has no reason", mend))
        }
        (None, Some(reason), None) => Ok(Then::Deny { reason: reason.value }),
        (None, None, Some(ask)) => ask.read(reader).map(Then::Ask),
        _ => Err(reader.complain(
            at,
            "the rule must say exactly one thing",
            "write one of `allow: true`, `deny: reason` and `ask: …`",
        )),
    }
}
