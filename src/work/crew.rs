//! Keeps one loop going: claim what there is room for, work on it, look again.

use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::{Loop, Wake};
use crate::store::StoreError;

/// How long a loop rests when nobody wakes it.
const POLL: Duration = Duration::from_millis(500);
/// How long a loop rests when the store refused it.
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);

/// One kind of work that rows in the database ask for.
pub trait Work: Send + Sync {
    /// A claimed row.
    type Claimed: Send;

    /// Which loop this is: for the log, and for the hints it hears.
    fn which(&self) -> Loop;

    /// Takes at most `room` rows that are due.
    fn claim(&self, room: usize) -> BoxFuture<'_, Result<Vec<Self::Claimed>, StoreError>>;

    /// Does what one row asks and commits the result. An error leaves the row to its lease.
    fn work(&self, claimed: Self::Claimed) -> BoxFuture<'_, Result<(), StoreError>>;
}

/// Does everything that is due now, and says how much it was: for tests and the demo.
pub async fn one_turn(work: &impl Work, room: usize) -> Result<usize, StoreError> {
    let claimed = work.claim(room).await?;
    let count = claimed.len();
    futures::future::try_join_all(claimed.into_iter().map(|claimed| work.work(claimed))).await?;
    Ok(count)
}

/// Works until `stop` is cancelled, then finishes what it has begun. It looks for work when it is
/// woken, when it has rested long enough, and as soon as it has room again after finding more than
/// it had room for.
pub async fn keep_going(work: impl Work, room: usize, wake: &Wake, stop: CancellationToken) {
    let mut ear = wake.listen(work.which());
    let mut under_way = UnderWay::new();
    let mut next_look = std::pin::pin!(tokio::time::sleep(Duration::ZERO));
    let mut may_be_more = true;
    while !stop.is_cancelled() {
        if may_be_more && under_way.len() < room {
            ear.mark_unchanged();
            let (found, rest) = look(&work, room, &mut under_way).await;
            may_be_more = found;
            next_look.as_mut().reset(tokio::time::Instant::now() + rest);
            continue;
        }
        tokio::select! {
            Some(done) = under_way.next() => log(work.which(), done),
            _ = ear.changed(), if !may_be_more => may_be_more = true,
            () = &mut next_look, if !may_be_more => may_be_more = true,
            () = stop.cancelled() => {}
        }
    }
    while let Some(done) = under_way.next().await {
        log(work.which(), done);
    }
}

/// Claims once. Says whether there may be more than there was room for, and how long to rest.
async fn look<'w, W: Work>(
    work: &'w W,
    room: usize,
    under_way: &mut UnderWay<'w>,
) -> (bool, Duration) {
    let free = room - under_way.len();
    match claim_meanwhile(work, free, under_way).await {
        Ok(claimed) => {
            let full = claimed.len() >= free;
            under_way.extend(claimed.into_iter().map(|claimed| work.work(claimed)));
            (full, POLL)
        }
        Err(error) => {
            tracing::error!(work = ?work.which(), %error, "could not claim; will try again");
            (false, AFTER_AN_ERROR)
        }
    }
}

type UnderWay<'w> = FuturesUnordered<BoxFuture<'w, Result<(), StoreError>>>;

/// Claims what there is room for. A claim waits for a commit, and so may whatever is under way:
/// that goes on meanwhile, so that both can share one.
async fn claim_meanwhile<'w, W: Work>(
    work: &'w W,
    free: usize,
    under_way: &mut UnderWay<'w>,
) -> Result<Vec<W::Claimed>, StoreError> {
    let mut claim = work.claim(free);
    loop {
        tokio::select! {
            claimed = &mut claim => return claimed,
            Some(done) = under_way.next() => log(work.which(), done),
        }
    }
}

fn log(which: Loop, done: Result<(), StoreError>) {
    if let Err(error) = done {
        tracing::error!(work = ?which, %error, "left unfinished; its lease brings it back");
    }
}
