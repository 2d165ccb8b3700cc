//! `countersign check`: what is well-formed and still wrong.

use super::{Config, Problem};

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It works, but probably not as meant.
    Warning,
    /// The service does not start with it.
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
    todo!("{config:?}")
}
