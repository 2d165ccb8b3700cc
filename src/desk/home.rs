//! The App Home: what waits for the person who opened it.

use super::{Desk, DeskError};
use crate::approval::{PersonFacts, Unseen};
use crate::slack::home::{self, HomeItem, HomeView};
use crate::slack::inbound::HomeOpened;
use crate::store::{StoreError, StoredRequest};

/// How many requests a list on the Home tab shows.
const SHOWN: usize = 15;

impl Desk {
    /// Publishes the Home tab as it should be now.
    pub async fn show_home(&self, opened: HomeOpened) -> Result<(), DeskError> {
        if opened.tab != "home" {
            return Ok(());
        }
        let person = self.directory.person(&opened.user).await;
        let pending = self.store.pending_requests(&self.workspace, None, 100).await?;
        let damaged: Vec<_> = pending.damaged.iter().map(|damaged| &damaged.id).collect();
        let mut waiting = Vec::new();
        for stored in pending.requests {
            if waiting.len() < SHOWN && self.is_asked(&person, &stored).await {
                waiting.push(stored);
            }
        }
        let mine = self.store.requests_of(&self.workspace, &person.person, 2 * SHOWN).await?;
        let (open, ended): (Vec<_>, Vec<_>) =
            mine.requests.into_iter().partition(|stored| stored.request.is_pending());
        let (waiting_unseen, open_unseen) =
            (self.unseen(&waiting).await?, self.unseen(&open).await?);
        let view = home::render(&HomeView {
            waiting_for_me: &items(&waiting, &waiting_unseen),
            damaged: &damaged,
            mine: &items(&open, &open_unseen),
            recent: &items(&ended, &vec![None; ended.len()]),
            now: self.store.now(),
        });
        self.slack.publish_view(&opened.user.user, view).await?;
        Ok(())
    }

    /// For each pending request, that those who are asked do not see it.
    pub(super) async fn unseen(
        &self,
        requests: &[StoredRequest],
    ) -> Result<Vec<Option<Unseen>>, StoreError> {
        let mut unseen = Vec::with_capacity(requests.len());
        for stored in requests {
            unseen.push(self.store.unseen(&self.workspace, &stored.request.id).await?);
        }
        Ok(unseen)
    }

    /// Is this person among those who are asked right now? A failed lookup is a no.
    async fn is_asked(&self, person: &PersonFacts, stored: &StoredRequest) -> bool {
        let reached = stored.request.terms.path.iter().take(stored.request.stage + 1);
        for stage in reached {
            if self.directory.member_of(person, &stage.approvers.0).await.unwrap_or(false) {
                return true;
            }
        }
        false
    }
}

fn items<'a>(requests: &'a [StoredRequest], unseen: &'a [Option<Unseen>]) -> Vec<HomeItem<'a>> {
    let requests = requests.iter().zip(unseen);
    requests.filter_map(|(stored, unseen)| item(stored, unseen.as_ref())).take(SHOWN).collect()
}

/// Nothing of a request that is not there whole any more.
fn item<'a>(stored: &'a StoredRequest, unseen: Option<&'a Unseen>) -> Option<HomeItem<'a>> {
    let sealed = stored.kept.whole()?;
    Some(HomeItem { request: &stored.request, sealed, unseen, permalink: None })
}
