//! Why a request was turned away: a stable code, and a text that tells nothing of our insides.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::base::Span;
use crate::desk::{CallRefused, DeskError};
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub(super) enum Turned {
    #[error("the key is missing or unknown")]
    WrongKey,
    #[error("too many wrong keys came from this address")]
    WrongKeys { wait: Span },
    /// About the client's own request.
    #[error("{0}")]
    Unreadable(String),
    #[error("this caller has no such run")]
    NoSuchRun,
    #[error("what this run told is no longer kept")]
    Gone,
    #[error("too many streams of this caller are open")]
    TooManyStreams,
    #[error(transparent)]
    Refused(#[from] CallRefused),
    #[error(transparent)]
    Failed(#[from] DeskError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Turned {
    fn status_and_code(&self) -> (StatusCode, &'static str) {
        match self {
            Self::WrongKey => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::WrongKeys { .. } => (StatusCode::TOO_MANY_REQUESTS, "too_many_wrong_keys"),
            Self::Unreadable(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid_request"),
            Self::NoSuchRun => (StatusCode::NOT_FOUND, "no_such_run"),
            Self::Gone => (StatusCode::GONE, "events_expired"),
            Self::TooManyStreams => (StatusCode::TOO_MANY_REQUESTS, "too_many_streams"),
            Self::Refused(refused) => match refused {
                CallRefused::NoSuchAgent => (StatusCode::FORBIDDEN, "no_such_agent"),
                CallRefused::OtherAgent => (StatusCode::CONFLICT, "other_agent"),
                CallRefused::Conflict => (StatusCode::CONFLICT, "idempotency_conflict"),
                CallRefused::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too_many_runs"),
                CallRefused::Requester => (StatusCode::FORBIDDEN, "requester_refused"),
                CallRefused::Unreachable | CallRefused::Failed(_) => {
                    (StatusCode::SERVICE_UNAVAILABLE, "unavailable")
                }
            },
            Self::Failed(_) | Self::Store(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }
}

impl IntoResponse for Turned {
    fn into_response(self) -> Response {
        let (status, code) = self.status_and_code();
        tracing::warn!(status = status.as_u16(), code, why = %self, "turned a call away");
        let message = match status {
            StatusCode::SERVICE_UNAVAILABLE => "try again later".to_owned(),
            _ => self.to_string(),
        };
        let body = Json(json!({ "error": { "code": code, "message": message } }));
        let mut response = (status, body).into_response();
        let wait = match self {
            Self::WrongKeys { wait } => Some(wait.as_millis().div_euclid(1000) + 1),
            _ if status == StatusCode::TOO_MANY_REQUESTS => Some(5),
            _ => None,
        };
        if let Some(seconds) = wait {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
