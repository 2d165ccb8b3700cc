//! Keeps a lease alive while its work is being done.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::base::{Clock, Span};
use crate::store::StoreError;

/// How long a claim holds without a sign of life.
pub(super) const TIME: Span = Span::seconds(30);
pub(super) const RENEWED_EVERY: Span = Span::seconds(10);

/// Since when a claim holds that was given in a commit of this process, by the machine's own time.
/// It is counted from before the database was asked, so it ends no later than the lease in there.
///
/// Nothing tells a process that it stood still, and nobody can take back what it does next. So it
/// looks here before it does what cannot be fenced.
pub(super) struct Held {
    clock: Arc<dyn Clock>,
    since: AtomicI64,
}

impl Held {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        let since = AtomicI64::new(clock.uptime().as_millis());
        Self { clock, since }
    }

    /// Asks the database for another lease, which counts from here if it is given.
    pub(super) async fn anew<T, E>(
        &self,
        asked: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let since = self.clock.uptime().as_millis();
        let given = asked.await?;
        self.since.fetch_max(since, Ordering::SeqCst);
        Ok(given)
    }

    /// For certain nobody else has the claim.
    pub(super) fn holds(&self) -> bool {
        let since = self.since.load(Ordering::SeqCst);
        self.clock.uptime().as_millis() - since < TIME.as_millis()
    }
}

/// Does the work, and renews the lease meanwhile, for the first time after `first`. The work goes on
/// while a renewal waits for the database, so what it hears in time it has heard in time. A renewal
/// that fails is only told: if somebody else has taken over, the epoch refuses whatever this work
/// still tries to write.
pub(super) async fn held<Renewal: Future<Output = Result<(), StoreError>>>(
    clock: &dyn Clock,
    first: Span,
    work: impl Future<Output = Result<(), StoreError>>,
    renew: impl Fn() -> Renewal,
) -> Result<(), StoreError> {
    let renewing = async {
        let mut next = first;
        loop {
            clock.beat(next).await;
            next = RENEWED_EVERY;
            if let Err(error) = renew().await {
                tracing::warn!(%error, "could not renew a lease");
            }
        }
    };
    tokio::select! {
        biased;
        done = work => done,
        never = renewing => never,
    }
}
