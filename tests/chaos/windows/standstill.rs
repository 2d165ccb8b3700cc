//! Notices when this whole process stood still, as when a machine sleeps. What took too long then
//! says nothing about the desk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use countersign::base::{Clock, SystemClock};
use tokio::task::JoinHandle;

const TICK: Duration = Duration::from_secs(1);
/// No load makes a tick so late.
const LATE: Duration = Duration::from_secs(8);

pub struct Standstill {
    count: Arc<AtomicU64>,
    watch: JoinHandle<()>,
}

impl Standstill {
    pub fn watch() -> Self {
        let count = Arc::new(AtomicU64::new(0));
        let counted = count.clone();
        let watch = tokio::spawn(async move {
            loop {
                let before = SystemClock.now();
                tokio::time::sleep(TICK).await;
                if SystemClock.now().since(before).to_std() > LATE {
                    counted.fetch_add(1, Ordering::SeqCst);
                }
            }
        });
        Self { count, watch }
    }

    /// How often that happened until now.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::SeqCst)
    }

    /// Whether it happened since, once a standstill that has just ended would have been noticed.
    pub async fn since(&self, before: u64) -> bool {
        tokio::time::sleep(2 * TICK).await;
        self.count() > before
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        self.watch.abort();
    }
}
