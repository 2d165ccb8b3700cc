//! What is wrong with an installation, and how to mend it: asked of Slack before its users find
//! out. Nothing is posted and nothing is changed.

mod channels;
mod groups;
mod reach;

pub use reach::{reach, secrets, unreachable_to_test};

use super::client::{Identity, SlackApi, SlackError};
use super::directory::{GroupSource, Home};
use crate::base::{Clock, Timestamp};

/// Slack's `Date` header has whole seconds, and the answer took a moment.
const CLOCK_WARNING_SECONDS: u64 = 30;
/// From here on, signatures near the edge of their five minutes are refused.
const CLOCK_FAILURE_SECONDS: u64 = 240;

const INSTALL_AGAIN: &str =
    "copy the bot token again from Install App; if it is not there, install the app again";

/// To the operator's log, when Slack tells that the app was removed or its token revoked.
pub fn installation_ended() -> String {
    format!(
        "Slack says that the app was removed or its bot token revoked: nobody can be asked, no press \
         counts, requests expire when their time is over, and what is owed to Slack waits. To mend it, \
         {INSTALL_AGAIN}; start the desk with a new token, and run `countersign doctor`"
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Ok,
    /// Works, but somebody may be surprised.
    Warn,
    /// Something that the configuration names cannot work.
    Fail,
}

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub level: Level,
    /// What was found, in a sentence.
    pub what: String,
    /// What the operator can do about it; empty when nothing is to be done.
    pub mend: String,
}

impl Finding {
    fn ok(what: impl Into<String>) -> Self {
        Self { level: Level::Ok, what: what.into(), mend: String::new() }
    }

    fn warn(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Warn, what: what.into(), mend: mend.into() }
    }

    fn fail(what: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { level: Level::Fail, what: what.into(), mend: mend.into() }
    }

    /// Slack could not be asked about `subject`.
    fn trouble(subject: &str, error: &SlackError) -> Self {
        let mend = match error {
            SlackError::Paced { .. }
            | SlackError::RateLimited { .. }
            | SlackError::NotDone { .. }
            | SlackError::Unknown { .. } => "try again in a minute; check the network and proxy",
            SlackError::InstallationGone { .. } => INSTALL_AGAIN,
            SlackError::SetupWrong { .. } => "add what is needed to the app and reinstall it",
            SlackError::PlaceWrong { .. } => "check the name or id in the configuration",
            SlackError::OurBug { .. } => "this is a bug in Countersign; please report it",
        };
        Self::fail(format!("{subject}: {error}"), mend)
    }
}

/// What this installation is meant to be.
pub struct DoctorFacts<'a> {
    pub clock: &'a dyn Clock,
    /// Each channel's name in the configuration, and what it stands for: `#name` or an id.
    pub channels: Vec<(String, String)>,
    pub groups: Vec<(String, GroupSource)>,
    /// Which groups are asked in which channel, by their names in the configuration.
    pub stages: Vec<(String, Vec<String>)>,
    /// The scopes that the manifest asks for.
    pub scopes: Vec<String>,
}

/// Asks Slack about everything the configuration names. Without a valid token there is only one
/// finding, because nothing else can be asked.
pub async fn diagnose(slack: &dyn SlackApi, facts: &DoctorFacts<'_>) -> Vec<Finding> {
    let us = match slack.auth_test().await {
        Ok(us) => us,
        Err(error) => return vec![Finding::trouble("the bot token", &error)],
    };
    let mut findings = vec![token(&us), clock(us.date, facts.clock.now())];
    findings.extend(scopes(&us, &facts.scopes));
    let (channels, found) = channels::check(slack, &facts.channels, &facts.stages).await;
    findings.extend(found);
    let (groups, found) = groups::check(slack, &Home::from(&us), &facts.groups).await;
    findings.extend(found);
    for (channel, asked) in &facts.stages {
        if let Some(place) = channels.get(channel) {
            findings.extend(groups::who_misses_the_card(slack, place, asked, &groups).await);
        }
    }
    findings
}

fn token(us: &Identity) -> Finding {
    Finding::ok(format!("the bot token is valid in {} ({})", us.team_name, us.team))
}

fn clock(slacks: Option<Timestamp>, ours: Timestamp) -> Finding {
    let Some(slacks) = slacks else {
        return Finding::warn("Slack did not say what time it is", "check this machine's clock");
    };
    let off = ours.as_seconds().abs_diff(slacks.as_seconds());
    let what = format!("this machine's clock is {off} s from Slack's");
    let mend = "turn on time synchronisation (NTP): Slack's requests are refused at 300 s";
    match off {
        0..CLOCK_WARNING_SECONDS => Finding::ok(what),
        CLOCK_WARNING_SECONDS..CLOCK_FAILURE_SECONDS => Finding::warn(what, mend),
        CLOCK_FAILURE_SECONDS.. => Finding::fail(what, mend),
    }
}

fn scopes(us: &Identity, needed: &[String]) -> Vec<Finding> {
    let Some(granted) = &us.scopes else {
        let mend = "compare them with the manifest on the app's page";
        return vec![Finding::warn("Slack did not say which scopes the token has", mend)];
    };
    let missing: Vec<&String> = needed.iter().filter(|scope| !granted.contains(scope)).collect();
    if missing.is_empty() {
        return vec![Finding::ok("the token has every scope of the manifest")];
    }
    let mend = "add it under OAuth & Permissions, then reinstall the app to the workspace";
    let lacks = |scope| Finding::fail(format!("the token lacks the scope `{scope}`"), mend);
    missing.into_iter().map(lacks).collect()
}

#[cfg(test)]
mod tests;
