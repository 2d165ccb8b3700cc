//! What is owed to Slack, whatever its form.

use super::{OwedCard, OwedNotice, Room, Store, StoreError, cards, notices};
use crate::base::Span;

/// Something owed, held until the lease ends.
#[derive(Clone, Debug)]
pub enum Owed {
    Card(Box<OwedCard>),
    Notice(Box<OwedNotice>),
}

impl Store {
    /// Takes at most `limit` cards and notices that are owed by now: cards first, since somebody
    /// may be waiting to decide, and of those as many as there is room for in Slack.
    pub async fn claim_owed(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
        room: Room,
    ) -> Result<Vec<Owed>, StoreError> {
        let owner = owner.to_owned();
        self.write(move |tx| {
            Box::pin(async move {
                let cards = cards::claim(tx, &owner, lease, limit, &room).await?;
                let room = limit.saturating_sub(cards.len());
                let notices = notices::claim(tx, &owner, lease, room).await?;
                let cards = cards.into_iter().map(|card| Owed::Card(Box::new(card)));
                let notices = notices.into_iter().map(|notice| Owed::Notice(Box::new(notice)));
                Ok(cards.chain(notices).collect())
            })
        })
        .await
    }
}
