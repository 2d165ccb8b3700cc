//! Slash commands.

use super::{InboundError, Installation, body, for_our_app, required};
use crate::approval::SlackUser;
use crate::slack::client::ResponseUrl;
use crate::slack::signature::VerifiedBody;

/// Somebody typed `/command text`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub installation: Installation,
    pub user: SlackUser,
    pub command: String,
    /// As Slack sent it, with mentions and links in angle brackets.
    pub text: String,
    pub channel: String,
    pub trigger_id: String,
    /// For 5 answers in 30 minutes.
    pub response_url: ResponseUrl,
}

impl Command {
    /// `command:<trigger id>`: the same for each delivery of one command.
    pub fn key(&self) -> String {
        format!("command:{}", self.trigger_id)
    }
}

/// Reads a body sent to a command URL. Nothing comes of Slack's TLS check (`ssl_check`): it is
/// answered with an empty 200, and whatever else its body says is not acted on.
pub fn parse_command(
    body: &VerifiedBody,
    app: Option<&str>,
) -> Result<Option<Command>, InboundError> {
    let mut fields = body::form(body)?;
    if fields.contains_key("ssl_check") {
        return Ok(None);
    }
    for_our_app(fields.get("api_app_id").map(String::as_str), app)?;
    let team = fields.remove("team_id");
    let org_wide = fields.get("is_enterprise_install").is_some_and(|text| text == "true");
    let installation = Installation::new(team.clone(), fields.remove("enterprise_id"), org_wide);
    // Only members of the installed workspace can use commands, so its team is theirs.
    let user = installation
        .user(required(fields.remove("user_id"), "user_id")?, team)
        .ok_or(InboundError::Field("team_id"))?;
    Ok(Some(Command {
        installation,
        user,
        command: required(fields.remove("command"), "command")?,
        text: fields.remove("text").unwrap_or_default(),
        channel: required(fields.remove("channel_id"), "channel_id")?,
        trigger_id: required(fields.remove("trigger_id"), "trigger_id")?,
        response_url: required(fields.remove("response_url"), "response_url")
            .map(ResponseUrl::new)?,
    }))
}
