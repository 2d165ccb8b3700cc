//! What runs tell is shown in their Slack threads while they go on, and forgotten when it is old.
//!
//! The planner (`stream::Show`) says which call comes next; here it is made. Where the workspace
//! has no growing messages or no sessions, that is found out once an hour and not at every run.

mod show;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;

use super::{Loop, Work, lease};
use crate::base::{Span, Timestamp};
use crate::desk::Desk;
use crate::slack::client::SlackError;
use crate::store::{ClaimedShow, Shows, StoreError};

/// How often old events are looked for.
const FORGETS_EVERY: Span = Span::minutes(10);
/// How long it is remembered that a workspace lacks something.
const REMEMBERED: Span = Span::minutes(60);

/// Shows what runs tell, and keeps the log of it from growing for ever.
pub struct Streams {
    desk: Arc<Desk>,
    /// When old events are looked for next, and from which age on if a look is under way.
    forgets_at: Instant,
    forgets_from: Mutex<Option<Timestamp>>,
    /// Until when no message is begun, and no session spoken of.
    plain_until: Instant,
    no_sessions_until: Instant,
}

#[derive(Default)]
struct Instant(Mutex<Timestamp>);

impl Instant {
    /// Whether it is still to come. One further away than it is ever set was set by a clock that has been
    /// set back since.
    fn is_ahead(&self, now: Timestamp, within: Span) -> bool {
        let at = *open(&self.0);
        at > now && at <= now.plus(within)
    }

    fn set(&self, at: Timestamp) {
        *open(&self.0) = at;
    }
}

fn open<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each use is one step; a panic elsewhere leaves nothing half done in it.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Streams {
    pub fn new(desk: Arc<Desk>) -> Self {
        Self {
            desk,
            forgets_at: Instant::default(),
            forgets_from: Mutex::default(),
            plain_until: Instant::default(),
            no_sessions_until: Instant::default(),
        }
    }

    async fn forget(&self) -> Result<(), StoreError> {
        let now = self.desk.clock.now();
        if self.forgets_at.is_ahead(now, FORGETS_EVERY) {
            return Ok(());
        }
        let from = *open(&self.forgets_from);
        let next = self.desk.store.forget_events(self.desk.config.streams.keep, from).await?;
        *open(&self.forgets_from) = next;
        if next.is_none() {
            self.forgets_at.set(now.plus(FORGETS_EVERY));
        }
        Ok(())
    }

    fn is_plain(&self) -> bool {
        !self.desk.config.streams.in_slack
            || self.plain_until.is_ahead(self.desk.clock.now(), REMEMBERED)
    }

    fn be_plain(&self, error: &SlackError) {
        tracing::warn!(%error, "this workspace shows no growing messages; answers come whole");
        self.plain_until.set(self.desk.clock.now().plus(REMEMBERED));
    }

    fn knows_no_sessions(&self) -> bool {
        self.no_sessions_until.is_ahead(self.desk.clock.now(), REMEMBERED)
    }

    fn forget_sessions(&self, error: &SlackError) {
        tracing::info!(%error, "this workspace shows no agent sessions");
        self.no_sessions_until.set(self.desk.clock.now().plus(REMEMBERED));
    }
}

impl Work for Streams {
    type Claimed = ClaimedShow;

    fn which(&self) -> Loop {
        Loop::Streams
    }

    fn claim(&self, room: usize) -> BoxFuture<'_, Result<Vec<ClaimedShow>, StoreError>> {
        async move {
            self.forget().await?;
            // What a desk that showed them has left in the middle is brought to its end all the same.
            let which = match self.desk.config.streams.in_slack {
                true => Shows::All,
                false => Shows::Begun,
            };
            self.desk.store.claim_shows(which, &self.desk.owner, lease::TIME, room).await
        }
        .boxed()
    }

    fn work(&self, claimed: ClaimedShow) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            match self.go_on(claimed).await {
                // Somebody else has it now, and what they do counts.
                Err(StoreError::Fenced) => Ok(()),
                done => done,
            }
        }
        .boxed()
    }
}
