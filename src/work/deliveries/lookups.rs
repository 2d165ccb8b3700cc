//! Looking for posts whose outcome is unknown. What was read of a place answers for everything that was
//! claimed before: after a crash a hundred posts are looked for at once, and Slack lets us read fifty times
//! a minute.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::base::{Span, Timestamp};
use crate::desk::Desk;
use crate::slack::client::{OurPosts, Place, Post, Posted, Search, SlackError};

/// A look goes back further than it must, so that it answers for what was begun a little earlier.
const FURTHER: Span = Span::seconds(60);

/// Whoever looks already may stand still: nobody waits for longer than this to share what they see.
const PATIENCE: Span = Span::seconds(5);

/// Memory only: after a restart everything is looked for anew.
#[derive(Default)]
pub(super) struct Lookups {
    /// Counts claims. No clock says for sure what came before what.
    turns: AtomicU64,
    /// The last look at each place that somebody waits for.
    places: Mutex<HashMap<Place, Arc<tokio::sync::Mutex<Option<Look>>>>>,
    /// Searches that had to wait, by the id they look for.
    searches: Mutex<HashMap<String, Begun>>,
}

/// A look that came to its end.
struct Look {
    turn: u64,
    since: Timestamp,
    posts: OurPosts,
}

/// A search, and after which claim it began.
struct Begun {
    turn: u64,
    search: Search,
}

impl Lookups {
    /// Something was claimed just now: whatever was posted of it before can be seen by now.
    pub(super) fn claimed(&self) -> u64 {
        open(&self.places).retain(|_, look| Arc::strong_count(look) > 1);
        self.turns.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The first message that a post has become since then, for whoever claimed it at this turn. A look
    /// that began before that would miss what was posted meanwhile. A search that has to wait goes
    /// on next time.
    pub(super) async fn find(
        &self,
        desk: &Desk,
        post: &Post,
        since: Timestamp,
        turn: u64,
    ) -> Result<Option<Posted>, SlackError> {
        let id = post.about.id();
        let place = open(&self.places).entry(post.place.clone()).or_default().clone();
        let last = tokio::select! {
            biased;
            last = place.lock() => Some(last),
            () = desk.clock.beat(PATIENCE) => None,
        };
        let answers = |look: &&Look| look.turn >= turn && look.since <= since;
        if let Some(look) = last.as_ref().and_then(|last| last.as_ref()).filter(answers) {
            return Ok(look.posts.about(&post.about).first().cloned());
        }
        let begun = open(&self.searches).remove(id);
        let mut begun = begun.unwrap_or_else(|| Begun {
            turn: self.turns.load(Ordering::SeqCst),
            search: Search::default(),
        });
        let since = Timestamp::from_millis(since.as_millis() - FURTHER.as_millis());
        let search = &mut begun.search;
        match desk.slack.our_posts(&desk.identity, &post.place, since, search).await {
            Ok(posts) => {
                let first = posts.about(&post.about).first().cloned();
                if let Some(mut last) = last {
                    *last = Some(Look { turn: begun.turn, since, posts });
                }
                Ok(first)
            }
            Err(error) => {
                open(&self.searches).insert(id.to_owned(), begun);
                Err(error)
            }
        }
    }
}

fn open<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    // Each use is one step; a panic elsewhere leaves nothing half done in it.
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
