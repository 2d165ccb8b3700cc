//! What a start looks at while the desk is open already: a desk with a million requests is to be there
//! again at once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::desk::Desk;
use crate::store::{Adopted, Store, StoreError};
use crate::work::Loop;

/// Between two pages of what waits: people come first.
const REST: Duration = Duration::from_millis(10);

/// Sets right what an earlier process left undone.
pub(super) async fn adopt_orphans(desk: Arc<Desk>) {
    match desk.store.adopt_orphans(REST).await {
        Ok(adopted) if adopted == Adopted::default() => {}
        Ok(adopted) => {
            tracing::error!(?adopted, "mended what an earlier process left undone");
            desk.wake.these(&Loop::ALL);
        }
        Err(error) => tracing::error!(%error, "could not look for what was left undone"),
    }
}

/// Waits for the news that the database is damaged. Nothing more is done on it then.
pub(super) async fn damage(store: &Store) -> io::Error {
    match store.is_sound().await {
        Ok(()) | Err(StoreError::Closed) => std::future::pending().await,
        Err(error) => {
            tracing::error!(
                %error, "the database is damaged, so the desk closes at once; restore the last \
                backup with `countersign restore`"
            );
            io::Error::other(error)
        }
    }
}
