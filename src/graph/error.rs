//! Why a node did not finish, and what is kept of that.

use std::borrow::Cow;
use std::error::Error;

use serde::{Deserialize, Serialize};

use super::{RunError, Update};

/// Why a node did not finish: it failed, or it asks a question and waits.
///
/// Every error converts into it, so `?` works in nodes. (For that it cannot be an
/// [`Error`] itself; the run's error carries the failure as its source.)
#[derive(Debug)]
pub struct NodeError(pub(super) Cause);

#[derive(Debug)]
pub(super) enum Cause {
    /// The node asks; its [`Context`](super::Context) knows what.
    Interrupted,
    /// A graph that the node ran hands a command up to the node's own graph.
    Handed(Box<Update>),
    /// A graph that the node ran was stopped, or is out of steps: so is the run.
    Stopped(Box<RunError>),
    Failed(Failure),
}

#[derive(Debug)]
pub(super) struct Failure {
    pub(super) kind: Cow<'static, str>,
    pub(super) source: Box<dyn Error + Send + Sync>,
}

impl NodeError {
    /// A failure that is told by a text only.
    pub fn message(text: impl Into<String>) -> Self {
        Self::of_kind("Error", text)
    }

    /// A failure of a named kind. Retry policies and error handlers tell failures by it.
    pub fn of_kind(kind: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self(Cause::Failed(Failure { kind: kind.into(), source: text.into().into() }))
    }

    /// A failure of a named kind that is an error of its own.
    pub(super) fn from_source(
        kind: &'static str,
        source: impl Error + Send + Sync + 'static,
    ) -> Self {
        Self(Cause::Failed(Failure { kind: kind.into(), source: Box::new(source) }))
    }

    /// The failure of a node that returned what is no update.
    pub fn bad_return(text: impl Into<String>) -> Self {
        Self::from_source("InvalidUpdateError", BadReturn(text.into()))
    }

    /// What went wrong, in words.
    pub fn text(&self) -> String {
        match &self.0 {
            Cause::Failed(failure) => with_causes(&*failure.source),
            Cause::Stopped(error) => error.to_string(),
            Cause::Interrupted | Cause::Handed(_) => self.kind().to_owned(),
        }
    }

    /// The kind of failure: what [`of_kind`](Self::of_kind) was told, else the name of the
    /// error's type; `GraphInterrupt` if it is none.
    pub fn kind(&self) -> &str {
        match &self.0 {
            Cause::Interrupted => "GraphInterrupt",
            Cause::Handed(_) => "ParentCommand",
            Cause::Stopped(error) => error.kind(),
            Cause::Failed(failure) => &failure.kind,
        }
    }

    /// Whether this is an interrupt on its way out of the node rather than a failure.
    pub fn is_interrupt(&self) -> bool {
        matches!(self.0, Cause::Interrupted)
    }

    /// The failure of a graph that a node ran. Of a failed node within it, the failure itself:
    /// policies and people care for what went wrong, not how deep.
    pub(super) fn of_run(error: RunError) -> Self {
        let failure = match error {
            RunError::Drained { .. } | RunError::RecursionLimit { .. } | RunError::Save(_) => {
                return Self(Cause::Stopped(Box::new(error)));
            }
            RunError::Node { kind, source, .. } => Failure { kind, source },
            error => Failure { kind: error.kind().to_owned().into(), source: Box::new(error) },
        };
        Self(Cause::Failed(failure))
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for NodeError {
    fn from(error: E) -> Self {
        let path = std::any::type_name::<E>();
        let name = path.split(['<', ' ']).next().unwrap_or(path);
        let kind = match name.rsplit("::").next() {
            // serde_json calls its error plainly Error; it is the state that does not fit.
            _ if name.starts_with("serde_json::") => "StateError",
            Some(last) => last,
            None => name,
        };
        Self(Cause::Failed(Failure { kind: kind.into(), source: Box::new(error) }))
    }
}

/// An error's text with those of its causes.
pub(super) fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// A node returned what is no update.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct BadReturn(String);

/// What is kept of a task's failure, and what an error handler is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskError {
    /// The node that failed.
    pub node: String,
    /// The kind of failure, see [`NodeError::kind`].
    pub class: String,
    /// The failure with its causes.
    pub message: String,
}

impl TaskError {
    /// Of a task that was still running when a sibling failed.
    pub(super) fn cancelled(node: &str) -> Self {
        Self { node: node.to_owned(), class: "CancelledError".to_owned(), message: String::new() }
    }
}
