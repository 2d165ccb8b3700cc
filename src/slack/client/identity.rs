//! Who we are in this workspace.

use serde_json::json;

use super::{Method, SlackApi, SlackError};
use crate::base::{Timestamp, WorkspaceId};

/// What `auth.test` says of our token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The team, or the organisation (`E…`) for an org-wide installation.
    pub team: String,
    pub team_name: String,
    pub enterprise: Option<String>,
    pub org_wide: bool,
    /// Our user in mentions and memberships, `U…`.
    pub bot_user: String,
    /// Our profile in messages, `B…`.
    pub bot_id: String,
    /// Slack does not always say.
    pub app_id: Option<String>,
    /// The scopes our token has, when Slack said so.
    pub scopes: Option<Vec<String>>,
    /// Slack's clock at the answer.
    pub date: Option<Timestamp>,
}

impl Identity {
    /// The tenant that this token serves.
    pub fn workspace(&self) -> WorkspaceId {
        WorkspaceId::existing(self.team.as_str())
    }
}

impl dyn SlackApi + '_ {
    /// Asks Slack who we are. Fails when the token is no bot's.
    pub async fn auth_test(&self) -> Result<Identity, SlackError> {
        let answer = self.call(Method::AuthTest, json!({})).await?;
        let text = |field: &str| answer.body[field].as_str().map(str::to_owned);
        let needed = |field: &str| {
            text(field).ok_or_else(|| SlackError::SetupWrong {
                code: "not_a_bot_token".to_owned(),
                needed: Some(format!("a bot token: auth.test names no `{field}`")),
            })
        };
        Ok(Identity {
            team: needed("team_id")?,
            team_name: text("team").unwrap_or_default(),
            enterprise: text("enterprise_id"),
            org_wide: answer.body["is_enterprise_install"] == true,
            bot_user: needed("user_id")?,
            bot_id: needed("bot_id")?,
            app_id: text("app_id"),
            scopes: answer.scopes,
            date: answer.date,
        })
    }
}
