//! What Slack sends, as small typed values: only the fields we use, strictly read; every other
//! field is ignored, because Slack adds some now and then.

mod command;
mod event;
mod interaction;

pub use command::{Command, parse_command};
pub use event::{ChannelKind, HomeOpened, Inbound, Message, parse_event};
pub use interaction::{
    ButtonClick, ClickedIn, InputValue, Interaction, ViewClosed, ViewSubmission, parse_interaction,
};

use crate::base::WorkspaceId;

/// Which installation of our app a delivery is for. Never says where the person belongs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installation {
    pub team: Option<String>,
    pub enterprise: Option<String>,
    /// Whether the whole organisation installed the app, not one workspace.
    pub org_wide: bool,
}

impl Installation {
    /// The tenant: the organisation for an org-wide installation, the team otherwise.
    pub fn workspace(&self) -> Option<WorkspaceId> {
        let id = if self.org_wide {
            self.enterprise.as_ref()
        } else {
            self.team.as_ref()
        };
        id.map(WorkspaceId::existing)
    }
}

/// Why a signed body says nothing we can act on. For logs; Slack only hears the status.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InboundError {
    #[error("the content type `{0}` is not one Slack uses here")]
    ContentType(String),
    #[error("the form is not well formed: {0}")]
    Form(&'static str),
    #[error("the JSON is not well formed: {0}")]
    Json(String),
    #[error("the field `{0}` is missing or of another type")]
    Field(&'static str),
    #[error("it is for the app `{0}`, not for ours")]
    OtherApp(String),
}
