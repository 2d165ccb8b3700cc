//! Rules that nothing can ever reach.

use std::collections::BTreeSet;

use super::Findings;
use super::matching::matches;
use crate::config::{Config, Rule};

pub(super) fn check(findings: &mut Findings<'_>) {
    let config = findings.config;
    let mut taken: BTreeSet<Case<'_>> = BTreeSet::new();
    for (index, rule) in config.rules.iter().enumerate() {
        for pattern in rule.tools.iter().filter(|pattern| pattern.ends_with('*')) {
            if !config.tools.keys().any(|tool| matches(pattern, tool)) {
                let text = format!("no tool matches `{}`", pattern.value);
                findings.error(pattern.at, text, "name a tool that is under `tools`");
            }
        }
        let cases = cases(rule, config);
        if !cases.is_empty() && cases.is_subset(&taken) {
            let earlier = config.rules.iter().take(index).find(|earlier| {
                earlier.when.is_none() && cases.is_subset(&self::cases(earlier, config))
            });
            let by = match earlier {
                Some(earlier) => format!("`{}` above it takes everything", earlier.name.value),
                None => "the rules above it take everything".to_owned(),
            };
            let text = format!("the rule `{}` can never match, because {by}", rule.name.value);
            findings.error(rule.name.at, text, "move it up, or remove it");
        }
        if rule.when.is_none() {
            taken.extend(cases);
        }
    }
}

/// A tool, and the agent that proposes it, if one does.
type Case<'a> = (&'a str, Option<&'a str>);

/// All the cases a rule would take if its condition held.
fn cases<'a>(rule: &Rule, config: &'a Config) -> BTreeSet<Case<'a>> {
    let agents = || config.agents.keys().map(|name| Some(name.as_str())).chain([None]);
    let tools = rule.tools_of(config);
    let cases = tools.flat_map(|tool| agents().map(|agent| (tool.name.as_str(), agent)));
    cases.filter(|(_, agent)| rule.covers_agent(*agent)).collect()
}
