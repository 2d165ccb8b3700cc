//! The routes, and nothing but: each reads a request, asks the desk, and says the answer in HTTP.
//!
//! Whatever comes from Slack is verified over its raw bytes before anything reads it, and is
//! answered only after what it changed is committed.

mod agent;
mod health;
mod serve;
mod slack;

use std::sync::Arc;

use axum::Router;
use axum::routing::{get, post};
use tower_http::limit::RequestBodyLimitLayer;

pub use serve::serve;

use crate::desk::Desk;

/// Slack's largest deliveries are views of at most 250 KB, form-encoded.
const BODY_LIMIT: usize = 1024 * 1024;

/// What a process answers that takes nothing in.
pub fn health_only(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(desk)
}

/// Every route there is.
pub fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/slack/events", post(slack::events))
        .route("/slack/interactions", post(slack::interactions))
        .route("/slack/commands", post(slack::commands).get(slack::tls_check))
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .with_state(desk.clone())
        .merge(agent::routes(desk))
        .layer(RequestBodyLimitLayer::new(BODY_LIMIT))
}
