//! A stored request with everything its card shows.

use super::{Desk, DeskError};
use crate::slack::card::{Buttons, CardView, ExecutionView, StageNames};
use crate::store::{ButtonChoice, StoredRequest, Tokens};

impl Desk {
    /// Hands the current state of a request to something that renders it.
    pub async fn with_view<T>(
        &self,
        stored: &StoredRequest,
        tokens: &Tokens,
        render: impl FnOnce(&CardView<'_>) -> T,
    ) -> T {
        let stages = self.stage_names(stored).await;
        let execution = stored.execution.as_ref().map(|execution| ExecutionView {
            state: execution.state,
            note: execution.note.as_deref(),
            ended_at: execution.ended_at,
        });
        render(&CardView {
            request: &stored.request,
            sealed: &stored.sealed,
            claim: stored.claim.as_deref(),
            show: &stored.show,
            stages: &stages,
            because: stored.because.as_deref(),
            execution,
            buttons: Buttons {
                approve: tokens.of(ButtonChoice::Approve),
                reject: tokens.of(ButtonChoice::Reject),
                show_all: tokens.of(ButtonChoice::ShowAll),
                withdraw: tokens.of(ButtonChoice::Withdraw),
            },
            undeliverable: stored.undeliverable.as_deref(),
            now: self.clock.now(),
        })
    }
}
