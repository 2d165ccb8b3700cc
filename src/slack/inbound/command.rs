//! Slash commands.

use super::{InboundError, Installation};
use crate::approval::SlackUser;
use crate::slack::signature::VerifiedBody;

/// Somebody typed `/command text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub installation: Installation,
    pub user: SlackUser,
    pub command: String,
    pub text: String,
    pub channel: String,
    pub trigger_id: String,
    /// A secret; 5 uses in 30 minutes.
    pub response_url: String,
}

/// Reads a body sent to a command URL; nothing when it is Slack's TLS check, which must have no
/// effect and is answered with an empty 200.
pub fn parse_command(
    body: &VerifiedBody,
    app: Option<&str>,
) -> Result<Option<Command>, InboundError> {
    todo!("{body:?} {app:?}")
}
