//! The slots that this desk took and has not used yet, and the way to more of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::base::{Clock, Haste, Slot, Span, Timestamp, WorkspaceId};
use crate::slack::pacing::{NotNow, Pacer};
use crate::store::Store;

/// A slot that is not used by then was taken in vain: somebody else has the next one.
const GOOD_FOR: Span = Span::seconds(2);

/// Keeps to the pace that all desks on one store share.
pub struct Slots {
    store: Store,
    workspace: WorkspaceId,
    clock: Arc<dyn Clock>,
    in_hand: Mutex<Vec<InHand>>,
}

struct InHand {
    what: String,
    until: Timestamp,
}

impl Slots {
    pub fn new(store: Store, workspace: WorkspaceId, clock: Arc<dyn Clock>) -> Self {
        Self { store, workspace, clock, in_hand: Mutex::default() }
    }

    /// These were taken together with the work that needs them.
    pub fn taken(&self, slots: Vec<Slot>) {
        let until = self.clock.now().plus(GOOD_FOR);
        self.in_hand().extend(slots.into_iter().map(|slot| InHand { what: slot.what, until }));
    }

    /// What a call needs beyond what is in hand, of which it uses the rest.
    fn missing(&self, slots: Vec<Slot>) -> Vec<Slot> {
        let now = self.clock.now();
        let mut in_hand = self.in_hand();
        in_hand.retain(|slot| slot.until >= now && slot.until <= now.plus(GOOD_FOR));
        let is_missing = |slot: &Slot| {
            let found = in_hand.iter().position(|held| held.what == slot.what);
            found.map(|nth| in_hand.swap_remove(nth)).is_none()
        };
        slots.into_iter().filter(is_missing).collect()
    }

    fn in_hand(&self) -> MutexGuard<'_, Vec<InHand>> {
        // Each use is one step; a panic elsewhere leaves nothing half done in it.
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pacer for Slots {
    fn take(&self, slots: Vec<Slot>, haste: Haste) -> BoxFuture<'_, Result<(), NotNow>> {
        async move {
            let missing = self.missing(slots);
            if missing.is_empty() {
                return Ok(());
            }
            match self.store.take_slots(&self.workspace, missing, haste).await {
                Ok(taken) => taken.map_err(NotNow::Until),
                Err(error) => Err(NotNow::Unknown(format!("the pace is not known: {error}"))),
            }
        }
        .boxed()
    }

    fn hold(&self, what: &'static str, wait: Span) -> BoxFuture<'_, ()> {
        async move {
            self.in_hand().retain(|slot| slot.what != what);
            if let Err(error) = self.store.hold_slots(&self.workspace, what, wait).await {
                tracing::warn!(what, %error, "the other desks are not told to wait with this");
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{RandomIds, Rate, TurnableClock};

    const ONE_AN_HOUR: Rate = Rate { every: Span::minutes(60), burst: 1 };

    fn post() -> Vec<Slot> {
        vec![Slot { what: "chat.postMessage".to_owned(), rate: ONE_AN_HOUR }]
    }

    async fn slots(folder: &tempfile::TempDir, clock: Arc<TurnableClock>) -> Slots {
        let url = format!("sqlite://{}", folder.path().join("desk.db").display());
        let store = Store::open(&url, clock.clone(), Arc::new(RandomIds)).await.unwrap();
        Slots::new(store, WorkspaceId::existing("T1"), clock)
    }

    #[tokio::test]
    async fn what_was_taken_with_the_work_is_used_once_and_soon() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(TurnableClock::standing_at(Timestamp::from_millis(1_795_527_000_000)));
        let slots = slots(&folder, clock.clone()).await;
        assert_eq!(slots.take(post(), Haste::InTurn).await, Ok(()), "the only one there is");
        slots.taken(post());
        assert_eq!(slots.take(post(), Haste::InTurn).await, Ok(()), "the one in hand");
        assert!(slots.take(post(), Haste::InTurn).await.is_err(), "it was one");

        slots.taken(post());
        clock.turn_forward(Span::seconds(3));
        assert!(
            slots.take(post(), Haste::InTurn).await.is_err(),
            "who stood still has to ask again"
        );

        slots.taken(post());
        slots.hold("chat.postMessage", Span::seconds(30)).await;
        assert!(slots.take(post(), Haste::InTurn).await.is_err(), "Slack said to wait");
        slots.store.close().await;
    }
}
