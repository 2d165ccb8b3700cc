//! Why a run did not get on, and whether it is tried again.

use crate::agent::{ModelError, Stopped};
use crate::base::Span;
use crate::graph::RunError;
use crate::slack::client::SlackError;
use crate::slack::texts;
use crate::stream::ErrorCode;

/// How often a run is tried before its requester is told that it failed.
const ATTEMPTS: u64 = 4;
/// The same when its model cannot be reached: about four minutes, if the provider asks for no more.
const OUTAGE_ATTEMPTS: u64 = 8;
/// The same when Slack cannot say who asks: most of an hour. There is nothing else to do meanwhile,
/// and nobody else who would ask again.
const NAMELESS_ATTEMPTS: u64 = 16;
/// Nobody waits longer from one try to the next, unless a provider asks for it.
const LONGEST_BACKOFF: u32 = 256;
/// A provider that asks for more is not waited for.
const LONGEST_WAIT: Span = Span::minutes(10);

/// Why a run did not get on this time.
pub(super) struct Stumble {
    /// For the log and the database; people in Slack are told that it failed, not how.
    pub(super) error: String,
    kind: Kind,
}

enum Kind {
    /// It may be tried again.
    Failure,
    /// The model could not be reached, and asks not to be asked again any sooner.
    Outage { wait: Span },
    /// Slack could not say who asks.
    Nameless,
    /// Trying again would not help.
    Stopped(Stopped),
}

impl Stumble {
    pub(super) fn nameless(error: &SlackError) -> Self {
        Self { error: format!("Slack could not say who asks: {error}"), kind: Kind::Nameless }
    }

    pub(super) fn of(error: &RunError) -> Self {
        let kind = match (Stopped::of(error), ModelError::outage(error)) {
            (Some(stopped), _) => Kind::Stopped(stopped),
            (None, Some(wait)) => Kind::Outage { wait },
            (None, None) => Kind::Failure,
        };
        Self { error: chain(error), kind }
    }

    /// How long to wait before the next try, after this many; nothing when there is none.
    pub(super) fn wait(&self, attempts: u64) -> Option<Span> {
        let (most, least) = match &self.kind {
            Kind::Failure => (ATTEMPTS, Span::ZERO),
            Kind::Outage { wait } => (OUTAGE_ATTEMPTS, *wait),
            Kind::Nameless => (NAMELESS_ATTEMPTS, Span::ZERO),
            Kind::Stopped(_) => return None,
        };
        if attempts >= most || least > LONGEST_WAIT {
            return None;
        }
        let backoff = 2_u32.saturating_pow(u32::try_from(attempts).unwrap_or(8));
        Some(Span::seconds(backoff.min(LONGEST_BACKOFF)).max(least))
    }

    /// For the requester, and for programs that listen: why it is not tried again.
    pub(super) fn told(&self, agent: &str) -> (String, ErrorCode) {
        match &self.kind {
            Kind::Failure => (texts::run_failed(agent), ErrorCode::RunFailed),
            Kind::Outage { .. } => (texts::model_away(agent), ErrorCode::ModelAway),
            Kind::Nameless => (texts::requester_unknown(agent), ErrorCode::RunFailed),
            Kind::Stopped(stopped) => {
                let code = match stopped {
                    Stopped::Steps { .. }
                    | Stopped::Tokens { .. }
                    | Stopped::Cost { .. }
                    | Stopped::Approvals => ErrorCode::BudgetSpent,
                    Stopped::TooLong { .. } | Stopped::Declined { .. } | Stopped::Shape { .. } => {
                        ErrorCode::NoAnswer
                    }
                    Stopped::Refused { .. } => ErrorCode::RunFailed,
                };
                (texts::run_stopped(agent, stopped), code)
            }
        }
    }
}

/// An error with its causes: the run's own text says only which node failed.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
