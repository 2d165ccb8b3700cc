//! Tools: what agents may ask to be done.
//!
//! [`Tool`] is the port. [`ConfiguredTool`] is the one kind that the configuration can make: an
//! HTTP request, a program, or a tool of an MCP server. A call takes a [`Warrant`], and what the target gets is made from the
//! warrant's stored action alone.
//!
//! An outcome speaks of *one attempt*. `NotDone` says that this attempt certainly changed nothing;
//! it says nothing about an earlier attempt with the same key whose outcome is unknown.

mod command;
mod configured;
mod http;
mod mcp;
mod target;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::Value;

use super::{Egress, McpServers, Standing, ToolDescription, ToolSpec};
use crate::approval::{CanonicalError, ToolFacts, Warrant};

pub use configured::ConfiguredTool;
pub(super) use target::Ending;

/// The port to something that can be done.
pub trait Tool: Send + Sync {
    fn description(&self) -> &ToolDescription;

    fn facts(&self) -> &ToolFacts;

    /// Arguments pinned on top of the card, in this order.
    fn show(&self) -> &[String];

    /// Reads a model's exact argument text strictly, fills in the schema's defaults and validates.
    /// Touches nothing outside.
    fn resolve(&self, arguments: &str) -> Result<Resolved, ArgumentError>;

    /// Asks whoever describes the tool, so that [`standing`](Self::standing) is news. For a tool
    /// that its configuration describes there is nobody to ask.
    fn look(&self) -> BoxFuture<'_, ()>;

    /// Whether it is still described as it was pinned, as far as is known.
    fn standing(&self) -> Standing;

    /// Does it, once, with the stored arguments of the warrant. A tool whose retry class is `pure`
    /// never answers `Unknown`: it changes nothing, so a lost answer is `NotDone`.
    fn call<'a>(&'a self, warrant: &'a Warrant) -> BoxFuture<'a, CallOutcome>;

    /// Asks, read-only, whether an earlier call took effect. `Unknown` for every tool whose retry
    /// class is not `probe`.
    fn probe<'a>(&'a self, warrant: &'a Warrant) -> BoxFuture<'a, ProbeOutcome>;
}

/// A proposed call with every part that an envelope binds.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// With every default filled in.
    pub arguments: Value,
    /// Where it acts: `POST https://payments.internal/refunds`, or the program and its arguments,
    /// each in quotes if it has anything in it that could be read as two.
    pub target: String,
    /// The name of the credential it acts with; `none` without one.
    pub credential: String,
    pub cwd: Option<String>,
    /// Names of the environment variables the program gets.
    pub environment: Vec<String>,
}

/// What a call came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    Done {
        content: String,
    },
    /// This attempt certainly changed nothing.
    NotDone {
        why: String,
    },
    /// Perhaps applied.
    Unknown {
        why: String,
    },
}

/// What a probe found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeOutcome {
    Applied { content: String },
    NotApplied,
    Unknown { why: String },
}

/// Why a model's arguments are not accepted. The text is for the model: bounded, and without the
/// values it complains about.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    #[error("the arguments cannot be used: {0}")]
    Unreadable(#[from] CanonicalError),
    #[error("the arguments do not fit the tool's schema: {0}")]
    Schema(String),
    #[error("the arguments are {bytes} bytes long; {limit} are accepted")]
    TooLong { bytes: usize, limit: usize },
    #[error("the arguments do not fill the tool's target: {0}")]
    Target(String),
}

/// A tool that cannot be made, found when the configuration is read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the tool `{tool}` cannot be used: {why}")]
pub struct ToolSpecError {
    pub tool: String,
    pub why: String,
}

/// All tools of this desk, by name.
#[derive(Clone, Default)]
pub struct Toolbox(BTreeMap<String, Arc<dyn Tool>>);

impl Toolbox {
    pub fn new(tools: impl IntoIterator<Item = Arc<dyn Tool>>) -> Self {
        let by_name = |tool: Arc<dyn Tool>| (tool.description().name.clone(), tool);
        Self(tools.into_iter().map(by_name).collect())
    }

    /// Makes every configured tool, sharing one way out to the network.
    pub fn from_specs(
        specs: impl IntoIterator<Item = ToolSpec>,
        egress: &Egress,
        servers: &McpServers,
    ) -> Result<Self, ToolSpecError> {
        let make =
            |spec| Ok(Arc::new(ConfiguredTool::new(spec, egress, servers)?) as Arc<dyn Tool>);
        Ok(Self::new(specs.into_iter().map(make).collect::<Result<Vec<_>, _>>()?))
    }

    pub fn get(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.0.get(name)
    }
}
