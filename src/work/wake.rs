//! The hint that something may be due.

use tokio::sync::watch;

/// Tells every loop to look again. Losing a hint costs a poll interval, never a promise.
#[derive(Clone, Debug)]
pub struct Wake(watch::Sender<u64>);

impl Wake {
    pub fn new() -> Self {
        Self(watch::Sender::new(0))
    }

    /// Something was committed, or the clock was turned.
    pub fn everybody(&self) {
        self.0.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// An ear that hears every hint given after this moment.
    pub fn listen(&self) -> watch::Receiver<u64> {
        self.0.subscribe()
    }
}

impl Default for Wake {
    fn default() -> Self {
        Self::new()
    }
}
