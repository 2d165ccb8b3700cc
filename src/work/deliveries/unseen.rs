//! Requests whose approvers do not see them: the log says so once, however often it is tried, and
//! once more when they do. So does the line in the requester's thread.

use std::collections::HashSet;
use std::sync::{MutexGuard, PoisonError};

use super::Deliveries;
use crate::approval::{Request, Unseen};
use crate::base::{CardId, RequestId};
use crate::store::{CardKind, OwedCard, StoreError};
use crate::work::Loop;

impl Deliveries {
    /// A card could not be shown, which is written down, and is tried again.
    pub(super) async fn not_shown(&self, owed: &OwedCard) -> Result<(), StoreError> {
        let (store, request) = (&self.desk.store, &owed.request);
        if !is_for_approvers(owed) || self.told().contains(&owed.id) {
            return Ok(());
        }
        let Some(unseen) = store.unseen(&owed.workspace, request).await? else { return Ok(()) };
        // Whoever dies before this comes to it again at the next try, or has it shown.
        store.not_seen(request).await?;
        self.told().insert(owed.id.clone());
        tracing::warn!(
            %request, asked = %unseen.since, error = unseen.why,
            "its approvers cannot see a request; it is tried again and again"
        );
        self.desk.wake.these(&[Loop::Deliveries]);
        Ok(())
    }

    /// A card is shown for the first time.
    pub(super) fn shown_at_last(&self, owed: &OwedCard, request: &Request) {
        let CardKind::Stage { stage, .. } = &owed.kind else { return };
        self.forget(&owed.id);
        let asked = request.stage_since;
        let is_late = self.desk.store.now().since(asked) > Unseen::IN_TIME;
        if owed.attempts > 0 && *stage == request.stage && is_late {
            tracing::info!(request = %request.id, %asked, "its approvers see a request at last");
        }
    }

    /// Nobody needs to be told of it any more.
    pub(super) fn forget(&self, card: &CardId) {
        self.told().remove(card);
    }

    fn told(&self) -> MutexGuard<'_, HashSet<CardId>> {
        // Each use is one step, as with what was looked for.
        self.unseen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The request whose line in its thread may say that its approvers do not see it, when this card is
/// shown now.
pub(super) fn at_last(owed: &OwedCard) -> Option<RequestId> {
    let for_the_first_time = owed.shown_at.is_none() && owed.attempts > 0;
    (for_the_first_time && is_for_approvers(owed)).then(|| owed.request.clone())
}

fn is_for_approvers(owed: &OwedCard) -> bool {
    matches!(owed.kind, CardKind::Stage { .. })
}
