//! Virtual time and the ids of a run: both are the same whenever the seed is.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use countersign::base::{Clock, Ids, Span, Timestamp};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::booth::{Point, park};

/// Tuesday, half past one.
const START: i64 = 1_795_527_000_000;

/// Stands until the scheduler turns it.
#[derive(Debug)]
pub struct VirtualClock {
    now: AtomicI64,
    /// How far it was turned because time passed.
    passed: AtomicI64,
}

impl VirtualClock {
    pub fn new() -> Self {
        Self { now: AtomicI64::new(START), passed: AtomicI64::new(0) }
    }

    pub fn turn_by(&self, millis: u32) {
        self.jump_by(millis.into());
        self.passed.fetch_add(millis.into(), Ordering::SeqCst);
    }

    /// Somebody sets it, and no time passes.
    pub fn jump_by(&self, millis: i64) {
        self.now.fetch_add(millis, Ordering::SeqCst);
    }

    pub fn turn_to(&self, instant: Timestamp) {
        let millis = instant.since(self.now()).as_millis();
        self.turn_by(u32::try_from(millis).unwrap());
    }
}

impl Clock for VirtualClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.now.load(Ordering::SeqCst))
    }

    fn uptime(&self) -> Span {
        let passed = self.passed.load(Ordering::SeqCst);
        Span::millis(u32::try_from(passed).unwrap())
    }

    fn pause(&self, _: Span) -> BoxFuture<'static, ()> {
        std::future::ready(()).boxed()
    }

    /// A lease beats when the scheduler says so. What only gathers for a moment gathers until the
    /// work it belongs to is over: that it may be kept earlier is an optimisation.
    fn beat(&self, span: Span) -> BoxFuture<'static, ()> {
        if span < Span::seconds(1) {
            return std::future::pending().boxed();
        }
        async { _ = park(Point::Beat).await }.boxed()
    }
}

/// Ids that count, and tokens that only look unguessable.
#[derive(Debug, Default)]
pub struct CountedIds(AtomicU64);

impl Ids for CountedIds {
    fn unique(&self) -> String {
        format!("{:08}", self.0.fetch_add(1, Ordering::SeqCst))
    }

    fn token(&self) -> String {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        format!(
            "{:032x}",
            u128::from(count).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)
        )
    }
}
