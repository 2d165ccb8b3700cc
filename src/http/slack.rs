//! The three addresses that Slack calls.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::desk::{Desk, DeskError};
use crate::slack::doctor;
use crate::slack::inbound::{self, Inbound, InboundError, Interaction};
use crate::slack::signature::{SignatureRefusal, VerifiedBody};

/// `POST /slack/events`.
pub(super) async fn events(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Turned> {
    let body = verified(&desk, &headers, &body)?;
    match inbound::parse_event(&body, desk.app())? {
        Inbound::UrlVerification { challenge } => return Ok(challenge.into_response()),
        Inbound::Message(message) => desk.hear(message).await?,
        Inbound::AppMention(message) => desk.hear_mention(message).await?,
        Inbound::HomeOpened(opened) => desk.show_home(opened).await?,
        Inbound::SessionStopped(stopped) => desk.stop(stopped).await?,
        Inbound::InstallationEnded { kind, team } => {
            tracing::warn!(kind, team, "{}", doctor::installation_ended());
        }
        Inbound::RateLimited { minute } => {
            tracing::error!(minute, "Slack dropped events of this minute: too many for one hour");
        }
        Inbound::Ignored { kind } => tracing::debug!(kind, "an event that is not for us"),
    }
    Ok(StatusCode::OK.into_response())
}

/// `POST /slack/interactions`.
pub(super) async fn interactions(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Turned> {
    let body = verified(&desk, &headers, &body)?;
    match inbound::parse_interaction(&body, desk.app())? {
        Interaction::ButtonClick(click) => desk.click(*click).await?,
        Interaction::ViewSubmission(submission) => {
            if let Some(answer) = desk.submission(*submission).await? {
                return Ok(Json(answer).into_response());
            }
        }
        Interaction::ViewClosed(_) => {}
        Interaction::Ignored { kind } => tracing::debug!(kind, "an interaction not for us"),
    }
    // Slack wants the body empty where there is nothing to say.
    Ok(StatusCode::OK.into_response())
}

/// `POST /slack/commands`.
pub(super) async fn commands(
    State(desk): State<Arc<Desk>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Turned> {
    if is_tls_check(&headers, &body) {
        return Ok(StatusCode::OK.into_response());
    }
    let body = verified(&desk, &headers, &body)?;
    let Some(command) = inbound::parse_command(&body, desk.app())? else {
        return Ok(StatusCode::OK.into_response());
    };
    let answer: Value = desk.command(command).await?;
    Ok(Json(answer).into_response())
}

/// `GET /slack/commands`: Slack only looks at the certificate.
pub(super) async fn tls_check() -> StatusCode {
    StatusCode::OK
}

/// The one request that Slack does not sign: it looks at the certificate and wants a 200. It holds
/// nothing to act on; with anything else in it, it has to be signed like any other.
fn is_tls_check(headers: &HeaderMap, body: &[u8]) -> bool {
    let mut fields = url::form_urlencoded::parse(body);
    !headers.contains_key("x-slack-signature")
        && body.starts_with(b"ssl_check=1")
        && fields.all(|(name, _)| name == "ssl_check" || name == "token")
}

fn verified(desk: &Desk, headers: &HeaderMap, body: &[u8]) -> Result<VerifiedBody, Turned> {
    Ok(desk.verifier.verify(headers, body, desk.clock.now())?)
}

/// Why a request was turned away. Slack hears the status, the log hears the reason.
#[derive(Debug, thiserror::Error)]
pub(super) enum Turned {
    #[error(transparent)]
    Unsigned(#[from] SignatureRefusal),
    #[error(transparent)]
    Unreadable(#[from] InboundError),
    #[error(transparent)]
    Failed(#[from] DeskError),
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Unsigned(_) => StatusCode::UNAUTHORIZED,
            Self::Unreadable(InboundError::OtherApp(_)) => StatusCode::FORBIDDEN,
            Self::Unreadable(_) => StatusCode::BAD_REQUEST,
            // Nothing was committed: Slack repeats an event, and shows a mark beside a button.
            Self::Failed(_) => StatusCode::SERVICE_UNAVAILABLE,
        };
        tracing::warn!(status = status.as_u16(), why = %self, "turned a request away");
        status.into_response()
    }
}
