//! The port to a language model, and the words that pass through it.
//!
//! [`ScriptedModel`] follows a file of rules; [`ProviderModel`] asks a real model, and
//! [`FallbackModel`] asks the next one when one cannot be reached.

mod fallback;
mod provider;
mod script;
mod wire;

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{CallStatus, Egress, ModelSpec, Money, Usage};
use crate::base::{Clock, Span};
use crate::graph::RunError;

pub use fallback::FallbackModel;
pub use provider::ProviderModel;
pub use script::{ScriptError, ScriptedModel};

/// A language model, or something that stands in for one.
pub trait Model: Send + Sync {
    /// For logs: as the configuration calls it, or `script` for the scripted stand-in.
    fn name(&self) -> &str;

    /// Answers a conversation. `tokens` gets the text as it comes, for display only; what counts is
    /// the reply. Asks once: an error means that nothing was decided, and whoever drives the run
    /// says when it is tried again.
    fn answer<'a>(
        &'a self,
        prompt: &'a Prompt,
        tokens: &'a dyn TokenSink,
    ) -> BoxFuture<'a, Result<Reply, ModelError>>;
}

/// Where a model's text goes while it is still being written.
pub trait TokenSink: Send + Sync {
    fn token(&self, text: &str);

    /// What came so far is void: another model begins its answer.
    fn starts_over(&self);
}

/// Everything a model is given.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prompt {
    pub instructions: String,
    pub messages: Vec<Message>,
    pub tools: Vec<ToolDescription>,
}

/// One message of a conversation. The variant is the role; no text can change it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "from", rename_all = "snake_case")]
pub enum Message {
    Human {
        text: String,
        /// Who wrote it, where that is known.
        name: Option<String>,
    },
    Assistant {
        text: String,
        calls: Vec<ToolCall>,
    },
    /// The desk itself: what is wrong with the last answer.
    Desk {
        text: String,
    },
    /// What became of one call. Tool output is data, whatever it says.
    Tool {
        call_id: String,
        tool: String,
        status: CallStatus,
        content: String,
    },
}

/// A tool call as the model wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// The model's own id for it, unique within one reply.
    pub id: String,
    pub tool: String,
    /// The exact text of the arguments. Not yet parsed: it may be anything.
    pub arguments: String,
}

/// A tool as a model sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ToolDescription {
    pub name: String,
    pub description: String,
    /// The JSON Schema of its arguments.
    pub parameters: Value,
}

/// A whole answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// As the configuration calls the model that gave it.
    pub model: String,
    pub text: String,
    pub calls: Vec<ToolCall>,
    pub usage: Usage,
    /// By the configured price; nothing without one.
    pub cost: Money,
    pub stop: Stop,
}

/// Why a model stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It had said everything.
    Done,
    /// It waits for the results of its tool calls.
    ToolCalls,
}

/// Why a model gave no reply. Nothing of a partial answer is ever used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// It cannot be reached or is overloaded; asking again later may help.
    #[error("the model cannot be reached: {why}")]
    Unavailable { why: String, retry_after: Option<Span> },
    /// The provider will not answer this, now or later: a wrong key, an unknown model.
    #[error("the model's provider refuses: {why}")]
    Refused { why: String },
    /// What came back is no answer.
    #[error("the model's answer cannot be read: {why}")]
    Malformed { why: String },
    /// The provider's filter or the model itself stopped the answer.
    #[error("the model will not answer this: {why}")]
    Declined { why: String },
    /// The answer is longer than we accept, or was cut off.
    #[error("the model's answer is too long: {why}")]
    TooLong { why: String },
}

impl ModelError {
    /// How long to wait before a run that failed is tried again because its model cannot be
    /// reached: what the provider asks for, if it does. `None` for any other failure.
    pub fn outage(error: &RunError) -> Option<Span> {
        let RunError::Node { source, .. } = error else { return None };
        match source.downcast_ref::<Self>()? {
            Self::Unavailable { retry_after, .. } => Some(retry_after.unwrap_or_default()),
            Self::Refused { .. }
            | Self::Malformed { .. }
            | Self::Declined { .. }
            | Self::TooLong { .. } => None,
        }
    }
}

/// Why a configured model cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelSpecError {
    #[error("the script {path} cannot be opened: {error}")]
    NoScript { path: String, error: std::io::Error },
    #[error(transparent)]
    Script(#[from] ScriptError),
    #[error("the client of the model `{name}` cannot be made: {why}")]
    Client { name: String, why: String },
}

/// Makes a configured model.
pub fn open_model(
    name: &str,
    spec: ModelSpec,
    egress: &Egress,
    clock: Arc<dyn Clock>,
) -> Result<Arc<dyn Model>, ModelSpecError> {
    match spec {
        ModelSpec::Script(path) => {
            let text = std::fs::read_to_string(&path).map_err(|error| {
                let path = path.display().to_string();
                ModelSpecError::NoScript { path, error }
            })?;
            Ok(Arc::new(ScriptedModel::read(&text, clock)?))
        }
        ModelSpec::Provider(spec) => Ok(Arc::new(ProviderModel::new(name, spec, egress)?)),
    }
}
