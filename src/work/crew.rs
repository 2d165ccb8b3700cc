//! Keeps one loop going: claim what there is room for, work on it, look again.

use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use tokio_util::sync::CancellationToken;

use super::Wake;
use crate::store::StoreError;

/// How long a loop rests when nobody wakes it.
const POLL: Duration = Duration::from_millis(500);
/// How long a loop rests when the store refused it.
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);

/// One kind of work that rows in the database ask for.
pub trait Work: Send + Sync {
    /// A claimed row.
    type Claimed: Send;

    /// For the log.
    fn name(&self) -> &'static str;

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

/// Works until `stop` is cancelled, then finishes what it has begun.
pub async fn keep_going(work: impl Work, room: usize, wake: &Wake, stop: CancellationToken) {
    let mut ear = wake.listen();
    let mut under_way = UnderWay::new();
    while !stop.is_cancelled() {
        ear.mark_unchanged();
        let rest = match claim_meanwhile(&work, room, &mut under_way).await {
            Ok(claimed) => {
                under_way.extend(claimed.into_iter().map(|claimed| work.work(claimed)));
                POLL
            }
            Err(error) => {
                tracing::error!(work = work.name(), %error, "could not claim; will try again");
                AFTER_AN_ERROR
            }
        };
        tokio::select! {
            Some(done) = under_way.next() => log(work.name(), done),
            _ = ear.changed(), if under_way.len() < room => {}
            () = tokio::time::sleep(rest) => {}
            () = stop.cancelled() => {}
        }
    }
    while let Some(done) = under_way.next().await {
        log(work.name(), done);
    }
}

type UnderWay<'w> = FuturesUnordered<BoxFuture<'w, Result<(), StoreError>>>;

/// Claims what there is room for. A claim waits for a commit, and so may whatever is under way:
/// that goes on meanwhile, so that both can share one.
async fn claim_meanwhile<'w, W: Work>(
    work: &'w W,
    room: usize,
    under_way: &mut UnderWay<'w>,
) -> Result<Vec<W::Claimed>, StoreError> {
    let mut claim = work.claim(room - under_way.len());
    loop {
        tokio::select! {
            claimed = &mut claim => return claimed,
            Some(done) = under_way.next() => log(work.name(), done),
        }
    }
}

fn log(name: &str, done: Result<(), StoreError>) {
    if let Err(error) = done {
        tracing::error!(work = name, %error, "left unfinished; its lease brings it back");
    }
}
