//! Which server this desk writes to, of those that its address may lead to.
//!
//! After a failover the old primary may wake up and still take itself for the primary. It can
//! acknowledge no write, because its standby follows it no more; but it would answer whoever only
//! reads, with what it knew back then. So nobody reads from another server than the one that the
//! writer found last, and nobody listens to another.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

/// Shared by all connections to one address.
#[derive(Clone, Debug)]
pub(super) struct Primary(Arc<watch::Sender<Option<Found>>>);

/// The server that the writer found.
#[derive(Clone, Debug)]
struct Found {
    /// What no other server says of itself.
    name: String,
    since: Instant,
}

impl Primary {
    pub(super) fn unknown() -> Self {
        Self(Arc::new(watch::Sender::new(None)))
    }

    /// The writer has found it. A server that it knew already changes nothing.
    pub(super) fn is(&self, name: String) {
        self.0.send_if_modified(|found| {
            let another = found.as_ref().is_none_or(|known| known.name != name);
            if another {
                *found = Some(Found { name, since: Instant::now() });
            }
            another
        });
    }

    pub(super) fn is_named(&self, name: &str) -> bool {
        self.0.borrow().as_ref().is_none_or(|found| found.name == name)
    }

    /// Whether a connection of this age was made when this server had been found already.
    pub(super) fn had_been_found(&self, age: Duration) -> bool {
        self.0.borrow().as_ref().is_none_or(|found| age <= found.since.elapsed())
    }

    /// Waits until the writer finds another server.
    pub(super) async fn changes(&self) {
        let mut found = self.0.subscribe();
        // An error cannot be: this sender is alive.
        let _ = found.changed().await;
    }
}
