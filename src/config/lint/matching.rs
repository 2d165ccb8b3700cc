//! Which tools and agents a rule covers, as the policy itself would see it.

use crate::config::{Config, Rule, Tool};

impl Rule {
    pub(super) fn covers_tool(&self, tool: &str) -> bool {
        self.tools.is_empty() || self.tools.iter().any(|pattern| matches(pattern, tool))
    }

    /// `None` is an action that no agent proposed.
    pub(super) fn covers_agent(&self, agent: Option<&str>) -> bool {
        let named = |agent| self.agents.iter().any(|name| name.value == agent);
        self.agents.is_empty() || agent.is_some_and(named)
    }

    pub(super) fn tools_of<'a>(&self, config: &'a Config) -> impl Iterator<Item = &'a Tool> {
        config.tools.values().filter(|tool| self.covers_tool(&tool.name))
    }
}

/// Names match themselves; `*` at the end matches any rest.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => pattern == name,
    }
}
