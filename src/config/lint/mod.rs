//! `countersign check`: what is well-formed and still wrong.
//!
//! Only what is certain is said: a finding that may be false teaches people to ignore findings.

mod agents;
mod conditions;
mod graphs;
mod matching;
mod paths;
mod references;
mod rules;
mod schema;
mod tools;

#[cfg(test)]
mod tests;

use std::fmt;

use super::{Ask, Config, Otherwise, Position, Problem, Step, Then};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but probably not as meant.
    Warning,
    /// The service must not start with it.
    Error,
}

/// One sentence about one thing, and its mend.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub severity: Severity,
    pub problem: Problem,
}

/// Everything that is wrong with a configuration that could be read, in the order of the file.
pub fn lint(config: &Config) -> Vec<Finding> {
    let mut findings = Findings { config, found: Vec::new() };
    references::check(&mut findings);
    agents::check(&mut findings);
    paths::check(&mut findings);
    rules::check(&mut findings);
    conditions::check(&mut findings);
    tools::check(&mut findings);
    graphs::check(&mut findings);
    let mut found = findings.found;
    found.sort_by_key(|finding| finding.problem.at());
    found
}

/// What has been found so far.
struct Findings<'a> {
    config: &'a Config,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn error(&mut self, at: Position, text: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Error, at, text.into(), mend.into());
    }

    fn warning(&mut self, at: Position, text: impl Into<String>, mend: impl Into<String>) {
        self.add(Severity::Warning, at, text.into(), mend.into());
    }

    fn add(&mut self, severity: Severity, at: Position, text: String, mend: String) {
        let problem = self.config.source.problem(at, text, mend);
        self.found.push(Finding { severity, problem });
    }
}

impl Config {
    /// Every way of asking in the file: those of the rules, the default one, and those of graphs.
    fn asks(&self) -> impl Iterator<Item = &Ask> {
        let default = match &self.otherwise {
            Otherwise::Ask(ask) => Some(ask),
            Otherwise::Deny => None,
        };
        let of_rules = self.rules.iter().filter_map(|rule| match &rule.then {
            Then::Ask(ask) => Some(ask),
            Then::Allow | Then::Deny { .. } => None,
        });
        let of_nodes = self.graphs.values().flat_map(|graph| graph.nodes.values());
        let of_nodes = of_nodes.filter_map(|node| match &node.step {
            Step::Approval { ask, .. } => ask.as_ref(),
            _ => None,
        });
        of_rules.chain(default).chain(of_nodes)
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.severity, self.problem)
    }
}
