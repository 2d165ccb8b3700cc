//! What is old is reduced, a little at a time: people who click come first.

use std::sync::{Arc, Mutex, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Loop, Work};
use crate::base::{Span, Timestamp};
use crate::desk::Desk;
use crate::store::{Passed, ReducedBatch, StoreError};

/// How often it is looked for what has become old.
const LOOKS_EVERY: Span = Span::minutes(10);

/// Reduces what the configuration says is old. Claiming a batch is reducing it: each is one transaction,
/// and if two processes do this, they take different ones.
pub struct Retention {
    desk: Arc<Desk>,
    walk: Mutex<Walk>,
}

/// One walk through all that is old.
#[derive(Clone, Default)]
struct Walk {
    /// Not before.
    begins: Timestamp,
    requests: Way,
    runs: Way,
}

/// How far a walk has come.
#[derive(Clone, Default)]
enum Way {
    #[default]
    Begins,
    GoesOn(Passed),
    Over,
}

impl Retention {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self { desk, walk: Mutex::default() }
    }

    /// One batch of each kind. Says whether there was anything.
    async fn batches(&self, walk: &mut Walk) -> Result<bool, StoreError> {
        let (store, workspace) = (&self.desk.store, &self.desk.workspace);
        let retention = self.desk.config.retention;
        let mut any = false;
        if let Some(kept) = retention.requests {
            if let Some(after) = walk.requests.after() {
                let batch = store.reduce_requests(workspace, kept, after).await?;
                any |= walk.requests.goes_on(batch);
            }
            any |= store.reduce_late_presses(workspace, kept).await? > 0;
            any |= store.forget_deliveries(workspace, kept).await? > 0;
        }
        if let Some(kept) = retention.runs {
            if let Some(after) = walk.runs.after() {
                let batch = store.reduce_conversation(workspace, kept, after).await?;
                any |= walk.runs.goes_on(batch);
            }
            any |= store.forget_notices(workspace, kept).await? > 0;
        }
        Ok(any)
    }

    fn walk(&self) -> Walk {
        self.walk.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, walk: Walk) {
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = walk;
    }
}

impl Way {
    /// After what the next batch comes; nothing when there is none.
    fn after(&self) -> Option<Option<Passed>> {
        match self {
            Self::Begins => Some(None),
            Self::GoesOn(passed) => Some(Some(passed.clone())),
            Self::Over => None,
        }
    }

    fn goes_on(&mut self, batch: ReducedBatch) -> bool {
        *self = batch.next.map_or(Self::Over, Self::GoesOn);
        matches!(self, Self::GoesOn(_))
    }
}

impl Work for Retention {
    type Claimed = ();

    fn which(&self) -> Loop {
        Loop::Retention
    }

    /// One thing at most, so that the loop rests after it whenever it has room for two.
    fn claim(&self, _room: usize) -> BoxFuture<'_, Result<Vec<()>, StoreError>> {
        async move {
            let (mut walk, now) = (self.walk(), self.desk.clock.now());
            if walk.begins > now {
                return Ok(Vec::new());
            }
            if self.batches(&mut walk).await? {
                self.keep(walk);
                return Ok(vec![()]);
            }
            self.keep(Walk { begins: now.plus(LOOKS_EVERY), ..Walk::default() });
            Ok(Vec::new())
        }
        .boxed()
    }

    fn work(&self, (): ()) -> BoxFuture<'_, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }
}
