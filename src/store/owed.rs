//! What is owed to Slack, whatever its form.

use std::sync::Arc;

use super::cards::Room;
use super::{OwedCard, OwedNotice, Store, StoreError, Tx, cards, notices};
use crate::base::{Slot, Span, Timestamp, WorkspaceId};

/// Something owed, held until the lease ends.
#[derive(Clone, Debug)]
pub enum Owed {
    Card(Box<OwedCard>),
    Notice(Box<OwedNotice>),
    /// It would come too early: it is owed again when its time has come, and nobody holds it.
    PutOff,
}

/// What was taken, and the calls that may be made for it now.
#[derive(Clone, Debug)]
pub struct ClaimedOwed {
    pub owed: Vec<Owed>,
    pub slots: Vec<Slot>,
}

/// The pace at which what is owed may go out.
#[derive(Clone)]
pub struct OwedPace {
    /// Whose Slack it goes to.
    pub workspace: WorkspaceId,
    pub card: Arc<CardNeeds>,
    pub needs: Arc<Needs>,
}

/// The slots of a card that is posted in a place, or of one that is updated.
pub type CardNeeds = dyn Fn(Option<&str>) -> Vec<Slot> + Send + Sync;

/// The slots that something takes, as far as that can be told before it is tried.
pub type Needs = dyn Fn(&Owed) -> Vec<Slot> + Send + Sync;

impl OwedPace {
    /// As fast as it comes.
    pub fn any(workspace: WorkspaceId) -> Self {
        Self { workspace, card: Arc::new(|_| Vec::new()), needs: Arc::new(|_| Vec::new()) }
    }
}

impl Store {
    /// Takes at most `limit` cards and notices that are owed by now: cards first, since somebody
    /// may be waiting to decide, and of those as many as there is room for in Slack. What it would get
    /// too early is put off right here. With a `limit` too small for some of each kind, time says whose
    /// turn it is.
    pub async fn claim_owed(
        &self,
        owner: &str,
        lease: Span,
        limit: usize,
        pace: OwedPace,
    ) -> Result<ClaimedOwed, StoreError> {
        let (store, owner) = (self.clone(), owner.to_owned());
        self.write(move |tx| {
            Box::pin(async move {
                let room = store.room(tx, &pace).await?;
                // In each place and of each kind something may wait that must not wait for all others.
                let kinds = room.posts.len() + 2;
                let turn = usize::try_from(tx.now.as_millis()).unwrap_or_default() % kinds;
                let (cards, notices) = if limit < kinds && turn == kinds - 1 {
                    let notices = notices::claim(tx, &owner, lease, limit).await?;
                    let left = limit - notices.len();
                    (cards::claim(tx, &owner, lease, left, &room, 0).await?, notices)
                } else {
                    let first = if limit < kinds { turn } else { 0 };
                    let cards = cards::claim(tx, &owner, lease, limit, &room, first).await?;
                    let left = limit.saturating_sub(cards.len());
                    (cards, notices::claim(tx, &owner, lease, left).await?)
                };
                let cards = cards.into_iter().map(|card| Owed::Card(Box::new(card)));
                let notices = notices.into_iter().map(|notice| Owed::Notice(Box::new(notice)));
                store.in_its_time(tx, cards.chain(notices).collect(), &pace).await
            })
        })
        .await
    }

    /// Only so much is claimed: what is owed may be ten thousand cards, and each that came too early
    /// would be put back for nothing.
    async fn room(&self, tx: &mut Tx, pace: &OwedPace) -> Result<Room, StoreError> {
        let places = cards::places_to_post(tx).await?;
        let mut calls: Vec<Vec<Slot>> =
            places.iter().map(|place| (pace.card)(Some(place.as_str()))).collect();
        calls.push((pace.card)(None));
        let mut rooms = self.paces.rooms(tx, &pace.workspace, &calls).await?;
        let updates = rooms.pop().unwrap_or_default();
        Ok(Room { updates, posts: places.into_iter().zip(rooms).collect() })
    }

    async fn in_its_time(
        &self,
        tx: &mut Tx,
        owed: Vec<Owed>,
        pace: &OwedPace,
    ) -> Result<ClaimedOwed, StoreError> {
        let calls: Vec<Vec<Slot>> = owed.iter().map(|owed| (pace.needs)(owed)).collect();
        if calls.iter().all(Vec::is_empty) {
            return Ok(ClaimedOwed { owed, slots: Vec::new() });
        }
        let told = self.paces.take_each(tx, &pace.workspace, &calls).await?;
        let mut claimed = ClaimedOwed { owed: Vec::with_capacity(owed.len()), slots: Vec::new() };
        for ((owed, slots), told) in owed.into_iter().zip(calls).zip(told) {
            match told {
                Ok(()) => {
                    claimed.owed.push(owed);
                    claimed.slots.extend(slots);
                }
                Err(until) => {
                    put_off(tx, &owed, until).await?;
                    claimed.owed.push(Owed::PutOff);
                }
            }
        }
        Ok(claimed)
    }
}

/// Owes it again at an instant. Nothing of it has been tried.
async fn put_off(tx: &mut Tx, owed: &Owed, until: Timestamp) -> Result<(), StoreError> {
    let (statement, id) = match owed {
        Owed::Card(card) => (
            "UPDATE cards SET retry_at = $2, intent_at = NULL, owner = NULL, lease_until = NULL
             WHERE id = $1",
            card.id.as_str(),
        ),
        Owed::Notice(notice) => (
            "UPDATE notices SET retry_at = $2, intent_at = NULL, owner = NULL, lease_until = NULL
             WHERE id = $1",
            notice.id.as_str(),
        ),
        Owed::PutOff => return Ok(()),
    };
    sqlx::query(statement).bind(id).bind(until.as_millis()).execute(&mut tx.conn).await?;
    Ok(())
}
