//! What happens to a node that fails or takes too long.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::{Node, NodeError};

/// When and how often a node that failed is tried again, in place, within its superstep.
#[derive(Clone, Debug)]
pub struct RetryPolicy {
    /// How often it is tried in all, the first time included.
    pub max_attempts: u32,
    /// The wait before the second try.
    pub initial_interval: Duration,
    /// By what each further wait is longer.
    pub backoff_factor: f64,
    /// No wait is longer than this.
    pub max_interval: Duration,
    /// Up to this much is added to each wait, so that tasks that failed together part. How much
    /// follows from the task's id: nothing here is random.
    pub jitter: Duration,
    /// Which failures it is for.
    pub retry_on: RetryOn,
}

impl Default for RetryPolicy {
    /// As LangGraph's.
    fn default() -> Self {
        Self {
            max_attempts: 3,
            initial_interval: Duration::from_millis(500),
            backoff_factor: 2.0,
            max_interval: Duration::from_secs(128),
            jitter: Duration::from_secs(1),
            retry_on: RetryOn::Default,
        }
    }
}

impl RetryPolicy {
    /// The wait after the try with this number, counted from one. `share` is between 0 and 1.
    pub(super) fn wait(&self, attempt: u32, share: f64) -> Duration {
        let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
        let longest = self.max_interval.as_secs_f64();
        let grown = self.initial_interval.as_secs_f64() * self.backoff_factor.powi(exponent);
        let grown = if grown.is_finite() { grown.clamp(0.0, longest) } else { longest };
        Duration::from_secs_f64(grown) + self.jitter.mul_f64(share.clamp(0.0, 1.0))
    }
}

/// Which failures are worth another try.
#[derive(Clone)]
pub enum RetryOn {
    /// All but those that a program makes again: wrong values, types, names, states.
    Default,
    /// Those of these kinds, see [`NodeError::kind`].
    Kinds(Vec<String>),
    /// Those that the function says yes to.
    When(Arc<dyn Fn(&NodeError) -> bool + Send + Sync>),
}

impl RetryOn {
    pub(super) fn matches(&self, error: &NodeError) -> bool {
        match self {
            Self::Default => !MADE_AGAIN.contains(&error.kind()),
            Self::Kinds(kinds) => kinds.iter().any(|kind| kind == error.kind()),
            Self::When(says_yes) => says_yes(error),
        }
    }
}

impl fmt::Debug for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("Default"),
            Self::Kinds(kinds) => f.debug_tuple("Kinds").field(kinds).finish(),
            Self::When(_) => f.write_str("When(…)"),
        }
    }
}

/// Kinds of errors that trying again does not mend: Python's, by which LangGraph tells them, the
/// runtime's own, and those of reading a state that does not fit.
const MADE_AGAIN: [&str; 19] = [
    "ValueError",
    "TypeError",
    "ArithmeticError",
    "ZeroDivisionError",
    "ImportError",
    "LookupError",
    "KeyError",
    "IndexError",
    "NameError",
    "SyntaxError",
    "RuntimeError",
    "ReferenceError",
    "StopIteration",
    "StopAsyncIteration",
    "OSError",
    "TimeoutError",
    "InvalidUpdateError",
    "GraphRecursionError",
    "StateError",
];

/// How one node differs from a plain one.
#[derive(Default)]
pub struct NodeOptions {
    pub(super) defer: bool,
    pub(super) retry: Vec<RetryPolicy>,
    pub(super) run_timeout: Option<Duration>,
    pub(super) idle_timeout: Option<Duration>,
    pub(super) on_error: Option<Box<dyn Node>>,
}

impl NodeOptions {
    /// A plain node.
    pub fn new() -> Self {
        Self::default()
    }

    /// Runs only once nothing else is due.
    #[must_use]
    pub fn defer(mut self) -> Self {
        self.defer = true;
        self
    }

    /// Adds a policy; of several, the first that matches the failure counts.
    #[must_use]
    pub fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry.push(policy);
        self
    }

    /// How long one try may take.
    #[must_use]
    pub fn run_timeout(mut self, limit: Duration) -> Self {
        self.run_timeout = Some(limit);
        self
    }

    /// How long one try may be silent: every event, model chunk or
    /// [`heartbeat`](super::Context::heartbeat) starts it anew.
    #[must_use]
    pub fn idle_timeout(mut self, limit: Duration) -> Self {
        self.idle_timeout = Some(limit);
        self
    }

    /// Runs in the node's stead, in the same superstep, once the node has failed for good. It
    /// sees the node's state and [`Context::error`](super::Context::error). The node's edges do
    /// not fire; the handler says where to go.
    #[must_use]
    pub fn on_error(mut self, handler: impl Node + 'static) -> Self {
        self.on_error = Some(Box::new(handler));
        self
    }
}

/// The failure of a try that was over its limit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Node '{node}' exceeded its {limit} timeout of {:.3}s", .after.as_secs_f64())]
pub struct TimedOut {
    pub node: String,
    pub limit: TimeLimit,
    pub after: Duration,
}

/// Which limit it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeLimit {
    /// Of the whole try.
    Run,
    /// Of its silence.
    Idle,
}

impl fmt::Display for TimeLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Run => "run",
            Self::Idle => "idle",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_up_to_their_limit_and_part_by_their_share() {
        let policy = RetryPolicy {
            max_interval: Duration::from_secs(3),
            jitter: Duration::from_millis(100),
            ..RetryPolicy::default()
        };
        let waits = [(1, 0.0), (2, 0.0), (3, 0.5), (9, 1.0), (u32::MAX, 0.0)];
        let waits = waits.map(|(attempt, share)| policy.wait(attempt, share).as_millis());
        assert_eq!(waits, [500, 1000, 2050, 3100, 3000]);
    }

    #[test]
    fn what_a_program_makes_again_is_not_tried_again() {
        let table = [("Boom", true), ("ConnectionError", true), ("NodeTimeoutError", true)];
        let table = table.into_iter().chain(MADE_AGAIN.map(|kind| (kind, false)));
        for (kind, retried) in table {
            let error = NodeError::of_kind(kind, "no");
            assert_eq!(RetryOn::Default.matches(&error), retried, "{kind}");
        }
        let named = RetryOn::Kinds(vec!["ValueError".to_owned()]);
        assert!(named.matches(&NodeError::of_kind("ValueError", "no")));
        assert!(!named.matches(&NodeError::of_kind("Boom", "no")));
    }
}
