//! What can go wrong with a call, by what is to be done about it.

use crate::base::{Span, Timestamp};

/// A call that did not end in `ok: true`. Never holds a token or a response URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlackError {
    /// Not sent: our own pacing says to wait.
    #[error("paced: not before {until}")]
    Paced { until: Timestamp },
    /// Slack said to wait; nothing was done.
    #[error("rate limited for {retry_after}")]
    RateLimited { retry_after: Span },
    /// Certainly not done; trying again later may help.
    #[error("not done: {why}")]
    NotDone { why: String },
    /// May have been done. A post is looked up before it is sent again.
    #[error("outcome unknown: {why}")]
    Unknown { why: String },
    /// The token or the installation is gone: stop, and tell the operator.
    #[error("the installation is gone: {code}")]
    InstallationGone { code: String },
    /// A scope or a setting of the app is missing: tell the operator which.
    #[error("the app is not set up for this: {code}{}", needs(.needed))]
    SetupWrong { code: String, needed: Option<String> },
    /// The channel, message, person, group or view is not there, or not for us: take another way.
    #[error("cannot be done there: {code}")]
    PlaceWrong { code: String },
    /// We sent what Slack will never take, or Slack answered with a code that we do not know.
    /// Repeating it is no use.
    #[error("refused: {code} {messages:?}")]
    OurBug { code: String, messages: Vec<String> },
}

impl SlackError {
    /// When Slack, or our own pace, says to come again.
    pub fn told_to_wait(&self, now: Timestamp) -> Option<Timestamp> {
        match self {
            Self::Paced { until } => Some(*until),
            Self::RateLimited { retry_after } => Some(now.plus(*retry_after)),
            Self::NotDone { .. }
            | Self::Unknown { .. }
            | Self::InstallationGone { .. }
            | Self::SetupWrong { .. }
            | Self::PlaceWrong { .. }
            | Self::OurBug { .. } => None,
        }
    }

    /// Slack's own code, when it gave one that ends the matter.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::InstallationGone { code }
            | Self::SetupWrong { code, .. }
            | Self::PlaceWrong { code }
            | Self::OurBug { code, .. } => Some(code),
            Self::Paced { .. }
            | Self::RateLimited { .. }
            | Self::NotDone { .. }
            | Self::Unknown { .. } => None,
        }
    }

    /// Sorts Slack's error code. `retry_after` is what a rate limit without a header means.
    pub(super) fn of(
        code: &str,
        needed: Option<String>,
        messages: Vec<String>,
        retry_after: Span,
    ) -> Self {
        let text = code.to_owned();
        match code {
            "ratelimited" | "rate_limited" => Self::RateLimited { retry_after },
            "service_unavailable" | "request_timeout" | "team_added_to_org" => {
                Self::NotDone { why: text }
            }
            // Slack's reference says of these two that something may have been done.
            "internal_error" | "fatal_error" => Self::Unknown { why: text },
            "not_authed"
            | "invalid_auth"
            | "account_inactive"
            | "token_revoked"
            | "token_expired"
            | "org_login_required"
            | "access_denied"
            | "team_access_not_granted"
            | "enterprise_is_restricted"
            | "ekm_access_denied"
            | "accesslimited" => Self::InstallationGone { code: text },
            "missing_scope"
            | "not_allowed_token_type"
            | "no_permission"
            | "not_agent_app"
            | "messages_tab_disabled"
            | "not_enabled"
            | "app_access_restricted"
            | "feature_disabled"
            | "not_subscribed_to_message_stream_stopped"
            | "plan_upgrade_required"
            | "paid_teams_only" => Self::SetupWrong { code: text, needed },
            "channel_not_found"
            | "not_in_channel"
            | "is_archived"
            | "is_inactive"
            | "user_not_in_channel"
            | "message_not_found"
            | "thread_not_found"
            | "user_disabled"
            | "user_not_found"
            | "users_not_found"
            | "user_not_visible"
            | "no_such_subteam"
            | "cant_update_message"
            | "cant_delete_message"
            | "edit_window_closed"
            | "streaming_state_conflict"
            | "message_not_in_streaming_state"
            | "stopped_by_user"
            | "channel_type_not_supported"
            | "invalid_thread_ts"
            | "message_not_owned_by_app"
            | "cannot_reply_to_message"
            | "cannot_dm_bot"
            | "expired_trigger_id"
            | "exchanged_trigger_id"
            | "trigger_expired"
            | "trigger_exchanged"
            | "hash_conflict"
            | "not_found"
            | "fetch_members_failed"
            | "team_not_found" => Self::PlaceWrong { code: text },
            code if code.starts_with("restricted_action") => Self::PlaceWrong { code: text },
            _ => Self::OurBug { code: text, messages },
        }
    }
}

fn needs(needed: &Option<String>) -> String {
    needed.as_ref().map(|needed| format!(" (needed: {needed})")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slack_or_our_pace_says_when_to_come_again() {
        let now = Timestamp::from_millis(1_789_380_000_000);
        let soon = now.plus(Span::seconds(7));
        let of = |code: &str| SlackError::of(code, None, Vec::new(), Span::seconds(7));
        let table = [
            (SlackError::Paced { until: soon }, Some(soon)),
            (of("ratelimited"), Some(soon)),
            (of("service_unavailable"), None),
            (of("fatal_error"), None),
            (of("token_revoked"), None),
            (of("missing_scope"), None),
            (of("channel_not_found"), None),
            (of("invalid_blocks"), None),
        ];
        for (error, turn) in table {
            assert_eq!(error.told_to_wait(now), turn, "{error}");
        }
    }
}
