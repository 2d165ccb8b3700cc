//! What runs told is forgotten when it is too old.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Loop, Work};
use crate::base::{Span, Timestamp};
use crate::desk::Desk;
use crate::store::StoreError;

/// How often old events are looked for.
const FORGETS_EVERY: Span = Span::minutes(10);

/// Keeps the event log from growing for ever.
pub struct Streams {
    desk: Arc<Desk>,
    /// When old events are looked for next.
    forgets_at: Mutex<Timestamp>,
}

impl Streams {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk, forgets_at: Mutex::default() }
    }

    async fn forget(&self) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        if *self.forgets_at.lock().unwrap_or_else(PoisonError::into_inner) > now {
            return Ok(());
        }
        while self.desk.store.forget_events(self.desk.config.streams.keep).await? {}
        *self.forgets_at.lock().unwrap_or_else(PoisonError::into_inner) = now.plus(FORGETS_EVERY);
        Ok(())
    }
}

impl Work for Streams {
    type Claimed = ();

    fn which(&self) -> Loop {
        Loop::Streams
    }

    fn claim(&self, _: usize) -> BoxFuture<'_, Result<Vec<()>, StoreError>> {
        async move {
            self.forget().await?;
            Ok(Vec::new())
        }
        .boxed()
    }

    fn work(&self, (): ()) -> BoxFuture<'_, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }
}
