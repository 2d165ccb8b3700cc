//! Looking for posts whose outcome is unknown. What was read of a place answers for everything that waits
//! to be looked for there: after a crash that may be a hundred posts, and Slack lets us read fifty times
//! a minute.
//!
//! A look answers only for what was claimed before it began: an owner before us may have posted until
//! then. Nobody waits for somebody else's look; what comes meanwhile is put off for a moment.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{Clock, Span, Timestamp};
use crate::slack::client::{
    About, Identity, OurPosts, Place, Posted, Search, SlackApi, SlackError,
};

/// A look goes back further than it must, so that it answers for what was begun a little earlier.
const FURTHER: Span = Span::seconds(60);
/// When to come again where somebody is looking already.
const A_LOOK: Span = Span::seconds(2);
/// What was put off for longer than this is looked for anew.
const KEPT: Span = Span::minutes(10);

/// Memory only: after a restart everything is looked for anew.
pub(super) struct Lookups {
    slack: Arc<dyn SlackApi>,
    us: Identity,
    clock: Arc<dyn Clock>,
    /// Counts claims. No clock says for sure what came before what.
    turns: AtomicU64,
    /// Who could not be answered yet, by the id they look for.
    waiting: Mutex<HashMap<String, Waiting>>,
    places: Mutex<HashMap<Place, Arc<tokio::sync::Mutex<Seen>>>>,
}

/// When something was claimed, and under which epoch.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    /// By our own clock, and not after it.
    pub(super) at: Timestamp,
    turn: u64,
}

struct Waiting {
    claim: Claim,
    /// The last one it was ours under.
    epoch: u64,
    /// For as long as anybody waits for a place, what was seen of it is kept.
    _seen: Arc<tokio::sync::Mutex<Seen>>,
}

/// What was seen of a place.
#[derive(Default)]
struct Seen {
    last: Option<Look>,
    /// One that had to wait; the next goes on from there.
    begun: Option<(Begun, Search)>,
}

struct Look {
    began: Begun,
    posts: OurPosts,
}

/// After which claim a look began, and how far it goes back.
#[derive(Clone, Copy)]
struct Begun {
    turn: u64,
    since: Timestamp,
}

impl Begun {
    fn answers(self, turn: u64, since: Timestamp) -> bool {
        self.turn >= turn && self.since <= since
    }
}

impl Lookups {
    pub(super) fn new(slack: Arc<dyn SlackApi>, us: Identity, clock: Arc<dyn Clock>) -> Self {
        let (turns, waiting, places) = Default::default();
        Self { slack, us, clock, turns, waiting, places }
    }

    /// Something was claimed after this time: whatever owners before us have posted of it can be seen.
    pub(super) fn claimed(&self, at: Timestamp) -> Claim {
        open(&self.waiting).retain(|_, one| at <= one.claim.at.plus(KEPT));
        open(&self.places).retain(|_, seen| Arc::strong_count(seen) > 1);
        Claim { at, turn: self.turns.fetch_add(1, Ordering::SeqCst) + 1 }
    }

    /// The first message about this that was posted there since then, for whoever claimed it under
    /// this epoch. When nobody can say yet, their next claim goes on from here, if it is the next.
    pub(super) async fn find(
        &self,
        about: &About,
        place: &Place,
        since: Timestamp,
        claim: Claim,
        epoch: u64,
    ) -> Result<Option<Posted>, SlackError> {
        let seen = open(&self.places).entry(place.clone()).or_default().clone();
        let earlier = open(&self.waiting).remove(about.id());
        let unbroken = earlier.filter(|earlier| earlier.epoch + 1 == epoch);
        let claim = unbroken.map_or(claim, |earlier| earlier.claim);
        let found = self.look(&seen, about, place, since, claim.turn).await;
        if found.is_err() {
            let waiting = Waiting { claim, epoch, _seen: seen };
            open(&self.waiting).insert(about.id().to_owned(), waiting);
        }
        found
    }

    async fn look(
        &self,
        seen: &tokio::sync::Mutex<Seen>,
        about: &About,
        place: &Place,
        since: Timestamp,
        turn: u64,
    ) -> Result<Option<Posted>, SlackError> {
        let Ok(mut seen) = seen.try_lock() else {
            return Err(SlackError::Paced { until: self.clock.now().plus(A_LOOK) });
        };
        let first = |look: &Look| look.posts.about(about).first().cloned();
        if let Some(look) = seen.last.as_ref().filter(|look| look.began.answers(turn, since)) {
            return Ok(first(look));
        }
        let begun = seen.begun.take().filter(|(began, _)| began.answers(turn, since));
        let (began, mut search) = begun.unwrap_or_else(|| {
            let turn = self.turns.load(Ordering::SeqCst);
            (Begun { turn, since: since.minus(FURTHER) }, Search::default())
        });
        match self.slack.our_posts(&self.us, place, began.since, &mut search).await {
            Ok(posts) => Ok(first(seen.last.insert(Look { began, posts }))),
            Err(error) => {
                seen.begun = Some((began, search));
                Err(error)
            }
        }
    }
}

fn open<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each use is one step; a panic elsewhere leaves nothing half done in it.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
