//! Modals that were sent or closed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{InboundError, Installation, required};
use crate::approval::SlackUser;
use crate::base::Timestamp;
use crate::slack::signature::VerifiedBody;

/// The value of one input of a modal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InputValue {
    /// Left empty.
    Empty,
    Text(String),
    /// What was chosen: option values, user ids, channel ids, dates or times.
    Chosen(Vec<String>),
}

/// Somebody sent a modal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewSubmission {
    pub installation: Installation,
    pub user: SlackUser,
    pub view_id: String,
    pub hash: String,
    pub callback_id: String,
    pub private_metadata: String,
    /// By block id, then action id.
    pub values: BTreeMap<String, BTreeMap<String, InputValue>>,
    pub trigger_id: String,
    pub received_at: Timestamp,
    pub signed_at: Timestamp,
}

/// Somebody closed a modal without sending it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewClosed {
    pub installation: Installation,
    pub user: SlackUser,
    pub view_id: String,
    pub callback_id: String,
    pub private_metadata: String,
}

impl ViewSubmission {
    /// `view:<…>`: the same for each delivery of one submission. The trigger id tells a second try
    /// from a redelivery: answering with errors keeps the view and its hash as they were.
    pub fn key(&self) -> String {
        format!("view:{}:{}:{}", self.view_id, self.hash, self.trigger_id)
    }

    /// The text typed into one input, trimmed; nothing when it was left empty or blank.
    pub fn text(&self, block: &str, action: &str) -> Option<&str> {
        match self.values.get(block)?.get(action)? {
            InputValue::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            InputValue::Empty | InputValue::Chosen(_) => None,
        }
    }
}

#[derive(Deserialize)]
pub(super) struct ViewFields {
    pub(super) id: Option<String>,
    pub(super) hash: Option<String>,
    pub(super) app_installed_team_id: Option<String>,
    callback_id: Option<String>,
    private_metadata: Option<String>,
    state: Option<State>,
}

#[derive(Deserialize)]
struct State {
    #[serde(default)]
    values: BTreeMap<String, BTreeMap<String, Value>>,
}

impl ViewFields {
    pub(super) fn submission(
        self,
        installation: Installation,
        user: SlackUser,
        trigger_id: Option<String>,
        body: &VerifiedBody,
    ) -> Result<ViewSubmission, InboundError> {
        let blocks = self.state.map(|state| state.values).unwrap_or_default();
        let inputs = |inputs: BTreeMap<String, Value>| {
            inputs.into_iter().map(|(action, state)| (action, input_value(&state))).collect()
        };
        Ok(ViewSubmission {
            installation,
            user,
            view_id: required(self.id, "view.id")?,
            hash: required(self.hash, "view.hash")?,
            callback_id: self.callback_id.unwrap_or_default(),
            private_metadata: self.private_metadata.unwrap_or_default(),
            values: blocks.into_iter().map(|(block, states)| (block, inputs(states))).collect(),
            trigger_id: required(trigger_id, "trigger_id")?,
            received_at: body.received_at(),
            signed_at: body.signed_at(),
        })
    }

    pub(super) fn closed(
        self,
        installation: Installation,
        user: SlackUser,
    ) -> Result<ViewClosed, InboundError> {
        Ok(ViewClosed {
            installation,
            user,
            view_id: required(self.id, "view.id")?,
            callback_id: self.callback_id.unwrap_or_default(),
            private_metadata: self.private_metadata.unwrap_or_default(),
        })
    }
}

/// Typed text stands in `value`; every choice stands in a field of its own, `selected_…`, as a
/// text, a number, an option or a list of those.
fn input_value(state: &Value) -> InputValue {
    if let Some(text) = state["value"].as_str() {
        return InputValue::Text(text.to_owned());
    }
    let selected = state.as_object().and_then(|fields| {
        fields.iter().find(|(name, _)| name.starts_with("selected_")).map(|(_, value)| value)
    });
    let chosen: Vec<String> = match selected {
        Some(Value::Array(choices)) => choices.iter().filter_map(choice).collect(),
        Some(one) => choice(one).into_iter().collect(),
        None => Vec::new(),
    };
    if chosen.is_empty() { InputValue::Empty } else { InputValue::Chosen(chosen) }
}

fn choice(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(option) => option.get("value")?.as_str().map(str::to_owned),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}
