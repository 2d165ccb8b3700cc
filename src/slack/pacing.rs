//! How fast we may call Slack.
//!
//! Slack counts each method by itself, in tiers of so many a minute, and posts at about one a
//! second and channel with short bursts. When it answers 429 all the same, that method waits.
//! [`PacedSlack`] keeps to it, and whoever shares the token has to share the [`Pacer`].

mod paced;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt;
use futures::future::BoxFuture;

pub use paced::PacedSlack;

use super::client::{Method, Tier};
use crate::base::{Clock, Haste, Paces, Rate, Slot, Span, Timestamp};

const POSTS_IN_A_CHANNEL: Rate = Rate { every: Span::seconds(1), burst: 3 };

/// Half a minute's worth may come at once: the tiers are floors, and people click in bursts.
const fn rate(tier: Tier) -> Rate {
    match tier {
        Tier::Two => Rate { every: Span::millis(3_000), burst: 10 },
        Tier::Three => Rate { every: Span::millis(1_200), burst: 25 },
        Tier::Four => Rate { every: Span::millis(600), burst: 50 },
        Tier::Special => Rate { every: Span::millis(250), burst: 120 },
    }
}

/// What a call takes: a slot of its method, and for a post one of its channel, if that is known.
pub fn slots(method: Method, channel: Option<&str>) -> Vec<Slot> {
    let post_in = channel.filter(|_| method == Method::ChatPostMessage);
    let in_channel = post_in.map(|id| Slot { what: id.to_owned(), rate: POSTS_IN_A_CHANNEL });
    let by_method = Slot { what: method.name().to_owned(), rate: rate(method.tier()) };
    in_channel.into_iter().chain([by_method]).collect()
}

/// Whoever keeps the paces of one installation's token.
pub trait Pacer: Send + Sync {
    /// Takes the slots of one call, all or none.
    fn take(&self, slots: Vec<Slot>, haste: Haste) -> BoxFuture<'_, Result<(), NotNow>>;

    /// Slack said to wait with this.
    fn hold(&self, what: &'static str, wait: Span) -> BoxFuture<'_, ()>;
}

/// Why a call is not made now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotNow {
    /// By our own clock.
    Until(Timestamp),
    /// The pace could not be asked for.
    Unknown(String),
}

/// The pace of a process that has no store to share it by, such as the operator's `doctor`.
pub struct OwnPace {
    clock: Arc<dyn Clock>,
    paces: Mutex<Paces>,
}

impl OwnPace {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, paces: Mutex::default() }
    }

    fn paces(&self) -> MutexGuard<'_, Paces> {
        // Pacing is only arithmetic; a panic elsewhere leaves nothing half done in it.
        self.paces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pacer for OwnPace {
    fn take(&self, slots: Vec<Slot>, haste: Haste) -> BoxFuture<'_, Result<(), NotNow>> {
        let taken = self.paces().take(&slots, haste, self.clock.now());
        std::future::ready(taken.map_err(NotNow::Until)).boxed()
    }

    fn hold(&self, what: &'static str, wait: Span) -> BoxFuture<'_, ()> {
        self.paces().hold(what, wait, self.clock.now());
        std::future::ready(()).boxed()
    }
}

#[cfg(test)]
mod tests;
