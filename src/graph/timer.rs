//! The port through which the runtime knows time: retries wait by it, time limits end by it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::oneshot;
use futures::future::BoxFuture;

/// Tells the time and waits.
pub trait Timer: Send + Sync {
    /// Milliseconds since 1970.
    fn now(&self) -> i64;

    /// Waits for `time`.
    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()>;
}

/// The machine's time.
#[derive(Clone, Copy, Debug, Default)]
pub struct TokioTimer;

impl Timer for TokioTimer {
    #[expect(clippy::disallowed_methods, reason = "this is the graph's own time port")]
    fn now(&self) -> i64 {
        jiff::Timestamp::now().as_millisecond()
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(time))
    }
}

/// Time that stands still until somebody turns it: for tests. Clones are the same clock.
#[derive(Clone, Debug, Default)]
pub struct ManualTimer(Arc<Mutex<Turned>>);

#[derive(Debug, Default)]
struct Turned {
    now: i64,
    /// Who waits until when; the number keeps those apart who wait for the same instant.
    waiting: BTreeMap<(i64, usize), oneshot::Sender<()>>,
    slept: usize,
}

impl ManualTimer {
    /// Turns the time forward and wakes those who waited for it.
    pub fn turn(&self, time: Duration) {
        let mut turned = self.lock();
        turned.now += millis(time);
        let later = (turned.now + 1, 0);
        let waiting = turned.waiting.split_off(&later);
        let due = std::mem::replace(&mut turned.waiting, waiting);
        for (_, wake) in due {
            // Whoever has stopped waiting need not be woken.
            let _ = wake.send(());
        }
    }

    /// How long the next of those who wait still waits; none if nobody does.
    pub fn next(&self) -> Option<Duration> {
        let mut turned = self.lock();
        turned.waiting.retain(|_, wake| !wake.is_canceled());
        let (until, _) = *turned.waiting.keys().next()?;
        Some(Duration::from_millis(u64::try_from(until - turned.now).unwrap_or(0)))
    }

    fn lock(&self) -> MutexGuard<'_, Turned> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Timer for ManualTimer {
    fn now(&self) -> i64 {
        self.lock().now
    }

    fn sleep(&self, time: Duration) -> BoxFuture<'static, ()> {
        let (wake, woken) = oneshot::channel();
        let mut turned = self.lock();
        let key = (turned.now + millis(time), turned.slept);
        turned.slept += 1;
        turned.waiting.insert(key, wake);
        Box::pin(async move {
            // The timer lives as long as the run that waits by it.
            let _ = woken.await;
        })
    }
}

pub(super) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
