//! A stored request with everything its card shows.

use super::Desk;
use crate::base::Timestamp;
use crate::slack::card::{Buttons, CardView, ExecutionView, StageNames};
use crate::store::{self, CardButtons, StoredRequest};

impl Desk {
    /// Hands the current state of a request to something that renders it; nothing comes of one that is
    /// not there whole any more.
    pub async fn with_view<T>(
        &self,
        stored: &StoredRequest,
        buttons: &CardButtons,
        render: impl FnOnce(&CardView<'_>) -> T,
    ) -> Option<T> {
        let stages = self.stage_names(stored).await;
        card_view(stored, buttons, &stages, self.store.now()).map(|view| render(&view))
    }

    /// Each stage in people's words. A name that Slack would not tell is left out: it is for
    /// reading only.
    async fn stage_names(&self, stored: &StoredRequest) -> Vec<StageNames> {
        let mut stages = Vec::new();
        for stage in &stored.request.terms.path {
            let people =
                self.directory.approver_names(&stage.approvers.0).await.unwrap_or_default();
            let channel = self.config.channels.get(&stage.place.0);
            let channel = channel.map_or(&stage.place.0, |channel| &channel.slack.value).clone();
            stages.push(StageNames { people, channel });
        }
        stages
    }
}

/// What a request's card shows, out of its rows; nothing when it is not there whole any more.
pub fn card_view<'a>(
    stored: &'a StoredRequest,
    buttons: &'a CardButtons,
    stages: &'a [StageNames],
    now: Timestamp,
) -> Option<CardView<'a>> {
    Some(CardView {
        request: &stored.request,
        sealed: stored.kept.whole()?,
        claim: stored.claim.as_deref(),
        show: &stored.show,
        stages,
        because: stored.because.as_deref(),
        execution: stored.execution.as_ref().map(execution_view),
        buttons: Buttons {
            approve: buttons.approve.as_deref(),
            reject: buttons.reject.as_deref(),
            show_all: buttons.show_all.as_deref(),
            withdraw: buttons.withdraw.as_deref(),
        },
        undeliverable: stored.undeliverable.as_deref(),
        now,
    })
}

/// How an execution stands, as people are shown it.
pub fn execution_view(execution: &store::ExecutionView) -> ExecutionView<'_> {
    ExecutionView {
        state: execution.state,
        note: execution.note.as_deref(),
        late: execution.late.as_ref(),
        ended_at: execution.ended_at,
        settled: execution.settled.as_ref(),
    }
}
