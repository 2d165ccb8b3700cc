//! Keeps a lease alive while its work is being done.

use crate::base::{Clock, Span};
use crate::store::StoreError;

/// How long a claim holds without a sign of life.
pub(super) const TIME: Span = Span::seconds(30);
pub(super) const RENEWED_EVERY: Span = Span::seconds(10);

/// Does the work, and renews the lease meanwhile, for the first time after `first`. A renewal that fails is only told: if somebody
/// else has taken over, the epoch refuses whatever this work still tries to write.
pub(super) async fn held<Renewal: Future<Output = Result<(), StoreError>>>(
    clock: &dyn Clock,
    first: Span,
    work: impl Future<Output = Result<(), StoreError>>,
    renew: impl Fn() -> Renewal,
) -> Result<(), StoreError> {
    let mut work = std::pin::pin!(work);
    let mut next = first;
    loop {
        tokio::select! {
            done = &mut work => return done,
            () = clock.beat(next) => {
                next = RENEWED_EVERY;
                if let Err(error) = renew().await {
                    tracing::warn!(%error, "could not renew a lease");
                }
            }
        }
    }
}
