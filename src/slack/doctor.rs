//! What is wrong with an installation, and how to mend it: probes as data.

use super::client::SlackApi;
use super::directory::GroupSource;
use crate::base::Clock;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Ok,
    Warn,
    Fail,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub level: Level,
    pub what: String,
    /// How to mend it; empty when nothing is to be done.
    pub mend: String,
}

/// What this installation is meant to be.
pub struct DoctorFacts<'a> {
    pub clock: &'a dyn Clock,
    /// Name in the configuration and what it points to (`#name` or an id).
    pub channels: Vec<(String, String)>,
    pub groups: Vec<(String, GroupSource)>,
    pub scopes: Vec<String>,
}

/// Asks Slack about everything the configuration names.
pub async fn diagnose(slack: &dyn SlackApi, facts: &DoctorFacts<'_>) -> Vec<Finding> {
    todo!("{} {}", facts.channels.len(), facts.clock.now())
}
