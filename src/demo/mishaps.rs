//! What goes wrong at the company, on order: for tests and rehearsals.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::sync::Notify;

/// One thing that goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The company says no, and nothing happens.
    Refused,
    /// The company knows nothing of what it is asked about.
    Unknown,
    /// It never arrives, and the answer does not say so.
    RequestLost,
    /// It happens, and then the answer is lost on its way.
    AnswerLost,
    /// It happens, and then no answer ever comes.
    Silence,
}

/// The mishaps that are still to come, and word of those that came.
#[derive(Clone, Default)]
pub(super) struct Mishaps {
    ordered: Arc<Mutex<VecDeque<Mishap>>>,
    pub(super) silent: Arc<Notify>,
}

impl Mishaps {
    pub(super) fn order(&self, mishap: Mishap) {
        self.ordered.lock().unwrap_or_else(PoisonError::into_inner).push_back(mishap);
    }

    fn next(&self) -> Option<Mishap> {
        self.ordered.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// Lets a call through, or lets the next mishap happen to it.
pub(super) async fn befall(State(mishaps): State<Mishaps>, call: Request, next: Next) -> Response {
    match mishaps.next() {
        None => do_whole(call, next).await,
        Some(Mishap::Refused) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "the books are closed today").into_response()
        }
        Some(Mishap::Unknown) => StatusCode::NOT_FOUND.into_response(),
        Some(Mishap::RequestLost) => StatusCode::BAD_GATEWAY.into_response(),
        Some(Mishap::AnswerLost) => {
            do_whole(call, next).await;
            StatusCode::BAD_GATEWAY.into_response()
        }
        Some(Mishap::Silence) => {
            do_whole(call, next).await;
            mishaps.silent.notify_one();
            std::future::pending().await
        }
    }
}

/// What has arrived is done, also when its caller dies meanwhile: else it could stand in the journal and
/// not in the ledger.
async fn do_whole(call: Request, next: Next) -> Response {
    let done = tokio::spawn(next.run(call)).await;
    done.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}
