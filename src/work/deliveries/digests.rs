//! A digest: one message for what many would have told.

use super::{Claim, Deliveries, is_temporary, place, wait};
use crate::slack::texts::{self, DigestFacts};
use crate::store::{Gathered, OwedNotice, StoreError};

impl Deliveries {
    pub(super) async fn digest(&self, owed: OwedNotice, claim: Claim) -> Result<(), StoreError> {
        let (store, clock) = (&self.desk.store, &self.desk.clock);
        // Nothing is gathered into one that was claimed, so what it says is all that it stands for.
        let gathered = store.gathered(&owed.id).await?;
        let Some(audience) = owed.audience.as_deref().filter(|_| gathered != Gathered::default())
        else {
            let why = "what it would tell is over";
            return store.notice_dead(&owed.id, owed.epoch, why).await;
        };
        let channel = match self.channel(audience).await {
            Ok(channel) => channel,
            Err(error) => {
                let (why, retry_at) = (error.to_string(), wait(&error, clock.now(), owed.attempts));
                return match owed.unsure_since {
                    _ if !is_temporary(&error) => {
                        store.notice_dead(&owed.id, owed.epoch, &why).await
                    }
                    Some(_) => store.notice_unsure(&owed.id, owed.epoch, retry_at, &why).await,
                    None => store.notice_retry(&owed.id, owed.epoch, retry_at, &why).await,
                };
            }
        };
        let Gathered { escalated, reminded, expired, oldest } = gathered;
        let facts = DigestFacts { escalated, reminded, expired, oldest };
        let words = texts::say(&texts::digest(&facts, clock.now()));
        self.send(&owed, claim, place(&channel, None), words).await
    }
}
