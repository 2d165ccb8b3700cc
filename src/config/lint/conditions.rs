//! Conditions that can never be judged for some tool their rule covers.

use super::Findings;

pub(super) fn check(findings: &mut Findings<'_>) {
    let config = findings.config;
    for rule in &config.rules {
        let Some(when) = &rule.when else { continue };
        for tool in rule.tools_of(config) {
            if let Err(error) = when.type_check(&tool.parameters) {
                let name = &tool.name.value;
                let text = format!("the condition cannot be judged for `{name}`, because {error}");
                findings.error(when.at, text, "mend it, or give that tool a rule of its own");
            }
        }
    }
}
