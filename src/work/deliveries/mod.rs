//! What is owed to Slack gets there: cards are brought up to date, notices are sent once.
//!
//! A post whose outcome is unknown is looked up by the id in its metadata before it is sent again;
//! a rate limit makes it wait; a place that will never take it ends the delivery, and for the
//! card of the stage that is asked the next stage is asked at once.

mod cards;
mod digests;
mod lookups;
mod notices;
mod pace;
mod streamed;
mod unseen;

use std::collections::HashSet;
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;

use self::lookups::{Claim, Lookups};
use super::{Loop, Work, lease};
use crate::base::failpoint::{self, Point};
use crate::base::{CardId, Span, Timestamp};
use crate::desk::Desk;
use crate::slack::client::{About, Place, Post, Posted, SlackError};
use crate::store::{Owed, StoreError};

/// Brings cards up to date and sends notices.
pub struct Deliveries {
    desk: Arc<Desk>,
    lookups: Lookups,
    /// Of which cards it was said that they should be seen and are not. Memory only: whoever begins
    /// anew says it anew.
    unseen: Mutex<HashSet<CardId>>,
}

impl Deliveries {
    pub fn new(desk: Arc<Desk>) -> Self {
        let (slack, us, clock) = (desk.slack.clone(), desk.identity.clone(), desk.clock.clone());
        Self { desk, lookups: Lookups::new(slack, us, clock), unseen: Mutex::default() }
    }
}

/// What is ours to send.
pub struct Claimed {
    owed: Owed,
    claim: Claim,
}

impl Work for Deliveries {
    type Claimed = Claimed;

    fn which(&self) -> Loop {
        Loop::Deliveries
    }

    fn claim(&self, room: usize) -> BoxFuture<'_, Result<Vec<Claimed>, StoreError>> {
        async move {
            let (desk, pace, at) = (&self.desk, self.pace(), self.desk.clock.now());
            let claimed = desk.store.claim_owed(&desk.owner, lease::TIME, room, pace).await?;
            if let Some(slots) = &desk.slots {
                slots.taken(claimed.slots);
            }
            let claim = self.lookups.claimed(at);
            Ok(claimed.owed.into_iter().map(|owed| Claimed { owed, claim }).collect())
        }
        .boxed()
    }

    fn work(&self, claimed: Claimed) -> BoxFuture<'_, Result<(), StoreError>> {
        async move {
            failpoint::reach(Point::DeliveryClaimed);
            let done = match claimed.owed {
                Owed::Card(card) => self.card(*card, claimed.claim).await,
                Owed::Notice(notice) if notice.is_digest() => {
                    self.digest(*notice, claimed.claim).await
                }
                Owed::Notice(notice) => self.notice(*notice, claimed.claim).await,
                Owed::PutOff => Ok(()),
            };
            match done {
                // Somebody else has it now, and what they do counts.
                Err(StoreError::Fenced) => Ok(()),
                done => done,
            }
        }
        .boxed()
    }
}

/// How a post went.
enum Sent {
    At(Posted),
    /// An earlier try got there, with what was to be said then.
    Before(Posted),
    /// Certainly not posted, now or before; try again then.
    Later(Timestamp, SlackError),
    /// Perhaps posted; look then.
    Unsure(Timestamp, SlackError),
    Never(SlackError),
}

/// A post whose answer we did not wait for may still be on its way; before that, nobody can say that
/// it did not get there.
const ON_ITS_WAY: Span = Span::seconds(17);
/// A claim says by itself that a post is about to be sent. One that is sent later than this asks
/// first whether it is still ours: somebody may have taken over while we stood still.
const AT_ONCE: Span = Span::seconds(2);

/// One try to post what was claimed.
struct Try {
    claim: Claim,
    epoch: u64,
    /// When the first try began of which nobody knows how it ended.
    unsure_since: Option<Timestamp>,
    attempts: u64,
}

impl Deliveries {
    /// Posts a message, unless an earlier try whose outcome is unknown turns out to have got there.
    async fn post(&self, post: &Post, of: Try) -> Result<Sent, StoreError> {
        let desk = &self.desk;
        let now = desk.clock.now();
        let again = |error: &SlackError| wait(error, now, of.attempts);
        if let Some(since) = of.unsure_since {
            match self.earlier(post, since, &of).await {
                Ok(Some(first)) => return Ok(Sent::Before(first)),
                Ok(None) => {}
                Err(error) if is_temporary(&error) => {
                    return Ok(Sent::Unsure(again(&error), error));
                }
                // Where nothing can be read nothing can be posted either.
                Err(error) => return Ok(Sent::Never(error)),
            }
        }
        if of.unsure_since.is_some() || !self.is_at_once(of.claim.at) {
            match &post.about {
                About::Card(card) => desk.store.card_begins(card, of.epoch, lease::TIME).await?,
                About::Notice(id) => desk.store.notice_begins(id, of.epoch, lease::TIME).await?,
            }
        }
        failpoint::reach(Point::PostBegun);
        Ok(match desk.slack.post_message(post).await {
            Ok(posted) => {
                failpoint::reach(Point::PostAnswered);
                Sent::At(posted)
            }
            Err(error @ SlackError::Unknown { .. }) => {
                let settled_at = desk.clock.now().plus(ON_ITS_WAY);
                Sent::Unsure(again(&error).max(settled_at), error)
            }
            // The earlier try stays unsure: a worker that stood still may post it yet.
            Err(error) if is_temporary(&error) && of.unsure_since.is_some() => {
                Sent::Unsure(again(&error), error)
            }
            Err(error) if is_temporary(&error) => Sent::Later(again(&error), error),
            Err(error) => Sent::Never(error),
        })
    }

    /// What an earlier try has posted; by the store's time, which dated it.
    async fn earlier(
        &self,
        post: &Post,
        since: Timestamp,
        of: &Try,
    ) -> Result<Option<Posted>, SlackError> {
        let left = since.plus(ON_ITS_WAY).since(self.desk.store.now());
        if left > Span::ZERO {
            return Err(SlackError::Paced { until: self.desk.clock.now().plus(left) });
        }
        self.lookups.find(&post.about, &post.place, since, of.claim, of.epoch).await
    }

    /// Whether what was claimed then is sent at once; not when the clock went back meanwhile.
    fn is_at_once(&self, claimed_at: Timestamp) -> bool {
        let now = self.desk.clock.now();
        claimed_at <= now && now <= claimed_at.plus(AT_ONCE)
    }

    /// Slack's id of a channel that the configuration names, or that is an id already.
    async fn channel(&self, place: &str) -> Result<String, SlackError> {
        self.desk.channels.id_for_cards(written(&self.desk, place)).await
    }
}

/// A channel as the configuration has it.
fn written<'a>(desk: &'a Desk, place: &'a str) -> &'a str {
    desk.config.channels.get(place).map_or(place, |channel| &channel.slack.value)
}

fn place(channel: &str, thread_ts: Option<&str>) -> Place {
    Place { channel: channel.to_owned(), thread_ts: thread_ts.map(str::to_owned) }
}

/// Worth trying again, as opposed to a place or a message that Slack will never take. A missing
/// scope or a lost installation can be mended by the operator, so what is owed waits for them.
fn is_temporary(error: &SlackError) -> bool {
    match error {
        SlackError::Paced { .. }
        | SlackError::RateLimited { .. }
        | SlackError::NotDone { .. }
        | SlackError::Unknown { .. }
        | SlackError::InstallationGone { .. }
        | SlackError::SetupWrong { .. } => true,
        SlackError::PlaceWrong { .. } | SlackError::OurBug { .. } => false,
    }
}

/// When to try again: when Slack or our pacing says so, else after 1 s, 2 s, 4 s … at most 5 min.
fn wait(error: &SlackError, now: Timestamp, attempts: u64) -> Timestamp {
    let doubled = 1_u32 << u32::try_from(attempts).unwrap_or(u32::MAX).min(8);
    let backoff = Span::seconds(doubled.min(300));
    error.told_to_wait(now).unwrap_or(now.plus(backoff))
}
