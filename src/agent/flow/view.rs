//! What an expression or a template of a graph sees.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::unfold::Scope;
use crate::agent::Message;
use crate::agent::seat::MESSAGES;
use crate::graph::{NodeError, State};

/// The names of an expression, with their values.
pub(super) struct View {
    /// What the requester wrote to begin this run.
    pub(super) input: String,
    /// The keys of the node's own graph that have a value.
    pub(super) state: Map<String, Value>,
}

impl View {
    pub(super) fn of(state: &State, scope: &Scope) -> Result<Self, NodeError> {
        let mut seen = Map::new();
        for (name, key) in scope {
            if let Some(value) = state.get::<Option<Value>>(key)? {
                seen.insert(name.clone(), value);
            }
        }
        Ok(Self { input: input(state)?, state: seen })
    }

    /// For templates.
    pub(super) fn values(&self) -> Value {
        json!({ "input": self.input, "state": self.state })
    }
}

/// In a configured graph the conversation holds what people wrote; agents keep their own.
fn input(state: &State) -> Result<String, NodeError> {
    let last = state.list(MESSAGES).and_then(|messages| messages.last());
    match last.map(Message::deserialize).transpose()? {
        Some(Message::Human { text, .. }) => Ok(text),
        Some(_) | None => Err(NodeError::message("nobody wrote anything")),
    }
}
