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
    /// By which time something is old for the whole of it: what the clock does meanwhile changes nothing.
    time: Option<Timestamp>,
    /// Since when the clock is not believed.
    held: Option<Timestamp>,
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

    /// The next batches. Says whether there was anything.
    async fn goes_on(&self, walk: &mut Walk) -> Result<bool, StoreError> {
        if walk.time.is_none() {
            walk.time = self.time(walk).await?;
        }
        match walk.time {
            Some(time) => self.batches(walk, time).await,
            None => Ok(false),
        }
    }

    /// One batch of each kind. Says whether there was anything.
    async fn batches(&self, walk: &mut Walk, now: Timestamp) -> Result<bool, StoreError> {
        let (store, workspace) = (&self.desk.store, &self.desk.workspace);
        let retention = self.desk.config.retention;
        let mut any = false;
        if let Some(kept) = retention.requests {
            let before = now.minus(kept);
            if let Some(after) = walk.requests.after() {
                let batch = store.reduce_requests(workspace, before, after).await?;
                any |= walk.requests.goes_on(batch);
            }
            any |= store.reduce_late_presses(workspace, before).await? > 0;
            any |= store.forget_deliveries(workspace, before).await? > 0;
        }
        if let Some(kept) = retention.runs {
            let before = now.minus(kept);
            if let Some(after) = walk.runs.after() {
                let batch = store.reduce_conversation(workspace, before, after).await?;
                any |= walk.runs.goes_on(batch);
            }
            any |= store.forget_notices(workspace, before).await? > 0;
        }
        Ok(any)
    }

    /// By which time something is old; nothing when anything is kept. What one of two clocks says that
    /// differ is not enough, and neither is a time at which nobody has seen the desk at work lately.
    async fn time(&self, walk: &mut Walk) -> Result<Option<Timestamp>, StoreError> {
        let (store, workspace) = (&self.desk.store, &self.desk.workspace);
        let retention = self.desk.config.retention;
        if retention.requests.or(retention.runs).is_none() {
            return Ok(None);
        }
        let now = self.desk.clock.now().min(store.now());
        if store.believes(workspace, now).await? {
            walk.held = None;
            return Ok(Some(now));
        }
        if walk.held.is_none() {
            walk.held = Some(now);
            tracing::warn!(
                %now,
                "the desk has not been at work for days, or its clock has jumped: nothing that is old \
                 goes until the clock has gone on for a day"
            );
        }
        Ok(None)
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

    /// One thing at most, so that the loop rests after it whenever it has room for two. What fails has
    /// perhaps held up everybody who writes, so it is left for the next look.
    fn claim(&self, _room: usize) -> BoxFuture<'_, Result<Vec<()>, StoreError>> {
        async move {
            let (mut walk, now) = (self.walk(), self.desk.clock.now());
            // One further away was set by a clock that has been set back since.
            if walk.begins > now && walk.begins <= now.plus(LOOKS_EVERY) {
                return Ok(Vec::new());
            }
            let begins = now.plus(LOOKS_EVERY);
            match self.goes_on(&mut walk).await {
                Ok(true) => {
                    self.keep(walk);
                    Ok(vec![()])
                }
                Ok(false) => {
                    self.keep(Walk { begins, held: walk.held, ..Walk::default() });
                    Ok(Vec::new())
                }
                Err(error) => {
                    // Whether the clock is to be believed is asked again.
                    self.keep(Walk { begins, time: None, ..walk });
                    Err(error)
                }
            }
        }
        .boxed()
    }

    fn work(&self, (): ()) -> BoxFuture<'_, Result<(), StoreError>> {
        async { Ok(()) }.boxed()
    }
}
