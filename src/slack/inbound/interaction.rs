//! Interactivity: clicks, modal submissions and closings. Delivered once, so far as is known.

use std::collections::BTreeMap;

use super::{InboundError, Installation};
use crate::approval::SlackUser;
use crate::base::Timestamp;
use crate::slack::signature::VerifiedBody;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interaction {
    ButtonClick(Box<ButtonClick>),
    ViewSubmission(Box<ViewSubmission>),
    ViewClosed(ViewClosed),
    /// Nothing for us: answer 200.
    Ignored {
        kind: String,
    },
}

/// Where the button stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClickedIn {
    Message {
        channel: String,
        ts: String,
        thread_ts: Option<String>,
        ephemeral: bool,
    },
    View {
        id: String,
        hash: Option<String>,
    },
}

/// Somebody pressed a button. Proves who pressed, never whether they may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ButtonClick {
    pub installation: Installation,
    /// The clicker's own account and team.
    pub user: SlackUser,
    pub action_id: String,
    pub block_id: String,
    /// The button's value: our opaque token. Absent on URL buttons.
    pub token: Option<String>,
    /// Slack's time of the click, as text.
    pub action_ts: String,
    pub place: ClickedIn,
    /// Opens one modal within 3 s.
    pub trigger_id: String,
    /// A secret; 5 uses in 30 minutes. Absent in views.
    pub response_url: Option<String>,
    pub received_at: Timestamp,
    pub signed_at: Timestamp,
}

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
    pub trigger_id: Option<String>,
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

impl ButtonClick {
    /// `click:<…>`: the same for each delivery of one click; another for the next click.
    pub fn key(&self) -> String {
        todo!()
    }
}

impl ViewSubmission {
    /// `view:<…>`: the same for each delivery of one submission.
    pub fn key(&self) -> String {
        format!("view:{}:{}", self.view_id, self.hash)
    }

    /// The text typed into one input, trimmed; nothing when it was left empty.
    pub fn text(&self, block: &str, action: &str) -> Option<&str> {
        todo!("{block} {action}")
    }
}

/// Reads a body sent to the interactivity URL. `app` is our app id, once it is known.
pub fn parse_interaction(
    body: &VerifiedBody,
    app: Option<&str>,
) -> Result<Interaction, InboundError> {
    todo!("{body:?} {app:?}")
}
