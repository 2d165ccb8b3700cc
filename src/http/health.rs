//! Is the process alive, and can it keep its promises right now?

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::desk::Desk;

/// The process answers.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The database takes a write. A balancer should send nothing here until it does.
pub(super) async fn ready(State(desk): State<Arc<Desk>>) -> (StatusCode, Json<Value>) {
    match desk.store.healthy().await {
        Ok(()) => (StatusCode::OK, Json(json!({ "ready": true }))),
        Err(error) => {
            tracing::error!(%error, "not ready: the database takes no writes");
            let answer = json!({ "ready": false, "why": "the database takes no writes" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(answer))
        }
    }
}
