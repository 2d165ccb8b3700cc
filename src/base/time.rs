//! Instants and spans in whole milliseconds, and the port that tells the time.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicI64, Ordering};

use futures::future::BoxFuture;
use rustix::time::{ClockId, Timespec, clock_gettime};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An instant in UTC, in milliseconds since 1970. Never a local time.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Whole seconds since 1970, as Slack's `<!date^…>` and signature headers want them.
    pub const fn as_seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The instant `span` later; the last representable one when that would overflow.
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }

    /// The instant `span` earlier; the first representable one when that would overflow.
    pub const fn minus(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    pub const fn since(self, earlier: Self) -> Span {
        let span = self.0.saturating_sub(earlier.0);
        Span(if span < 0 { 0 } else { span })
    }
}

/// RFC 3339 with milliseconds, always in UTC: `2026-11-24T14:05:00.000Z`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{} ms", self.0),
        }
    }
}

/// A length of time that is never negative, in milliseconds. Written `30m`, `1h 30m`, `45s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

impl Span {
    pub const ZERO: Self = Self(0);

    pub const fn millis(millis: u32) -> Self {
        Self(millis as i64)
    }

    pub const fn seconds(seconds: u32) -> Self {
        Self(seconds as i64 * 1000)
    }

    pub const fn minutes(minutes: u32) -> Self {
        Self(minutes as i64 * 60_000)
    }

    pub const fn as_millis(self) -> i64 {
        self.0
    }

    pub const fn plus(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// How much longer than `other` this is; zero when it is not longer.
    pub const fn minus(self, other: Self) -> Self {
        Self(if self.0 > other.0 { self.0 - other.0 } else { 0 })
    }

    pub const fn to_std(self) -> std::time::Duration {
        std::time::Duration::from_millis(self.0 as u64)
    }
}

/// The two largest units, in words a person reads at a glance: `1 h 30 min`, `45 s`.
impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1)];
        let mut rest = self.0;
        let mut written = 0;
        for (name, size) in units {
            let count = rest / size;
            rest %= size;
            if count > 0 {
                let gap = if written > 0 { " " } else { "" };
                write!(f, "{gap}{count} {name}")?;
                written += 1;
            }
            if written == 2 {
                return Ok(());
            }
        }
        if written == 0 { f.write_str("0 s") } else { Ok(()) }
    }
}

/// A text that is no length of time.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a length of time; write it like `30m`, `1h 30m` or `45s`")]
pub struct NotASpan(String);

impl FromStr for Span {
    type Err = NotASpan;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = || NotASpan(text.to_owned());
        let span: jiff::Span = text.parse().map_err(|_| refuse())?;
        let days = jiff::SpanRelativeTo::days_are_24_hours();
        let duration = span.to_duration(days).map_err(|_| refuse())?;
        let millis = i64::try_from(duration.as_millis()).map_err(|_| refuse())?;
        if millis < 0 { Err(refuse()) } else { Ok(Self(millis)) }
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0)
    }
}

/// Reads milliseconds (as stored) or a text like `30m` (as configured).
impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a length of time like `30m`, `1h 30m` or `45s`")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, millis: i64) -> Result<Span, E> {
                if millis < 0 {
                    Err(E::custom("a length of time is never negative"))
                } else {
                    Ok(Span(millis))
                }
            }
            fn visit_u64<E: serde::de::Error>(self, millis: u64) -> Result<Span, E> {
                i64::try_from(millis).map(Span).map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Whose clock counts where several processes share one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instants {
    /// This clock's: somebody turns it, and means what they do.
    Ours,
    /// The database's: the clocks of machines differ, and a decision must not depend on which of
    /// them it reached.
    Databases,
}

/// Elsewhere than on Linux the monotonic clock itself goes on while the machine sleeps.
#[cfg(target_os = "linux")]
const MACHINES: ClockId = ClockId::Boottime;
#[cfg(not(target_os = "linux"))]
const MACHINES: ClockId = ClockId::Monotonic;

/// The port that tells the time. Nothing else in the house may.
pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;

    fn instants(&self) -> Instants {
        Instants::Ours
    }

    /// How long the machine has been running, whatever the clock on the wall says: for how long ago
    /// something was. It counts on while a process stands still and while the machine sleeps.
    fn uptime(&self) -> Span {
        let Timespec { tv_sec, tv_nsec } = clock_gettime(MACHINES);
        Span(tv_sec.saturating_mul(1000).saturating_add(tv_nsec / 1_000_000))
    }

    /// Lets so much of the clock's time pass. On a clock that stands nobody waits.
    fn pause(&self, span: Span) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span.to_std()))
    }

    /// Comes back when so much of the machine's own time is over: for signs of life, which are
    /// given whatever the clock on the wall says.
    fn beat(&self, span: Span) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(span.to_std()))
    }
}

/// The clock of the machine.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the Clock port itself")]
    fn now(&self) -> Timestamp {
        Timestamp(jiff::Timestamp::now().as_millisecond())
    }

    fn instants(&self) -> Instants {
        Instants::Databases
    }
}

/// A clock that people and tests turn forward (or back, to prove that nothing revives).
#[derive(Debug)]
pub struct TurnableClock {
    standing_at: Option<Timestamp>,
    turned_by: AtomicI64,
}

impl TurnableClock {
    /// Stands still at `instant` until it is turned: for tests.
    pub fn standing_at(instant: Timestamp) -> Self {
        Self { standing_at: Some(instant), turned_by: AtomicI64::new(0) }
    }

    /// Runs with the machine's clock, plus what it was turned by: for the demo.
    pub fn running() -> Self {
        Self { standing_at: None, turned_by: AtomicI64::new(0) }
    }

    pub fn turn_forward(&self, span: Span) {
        self.turned_by.fetch_add(span.0, Ordering::SeqCst);
    }

    pub fn turn_back(&self, span: Span) {
        self.turned_by.fetch_sub(span.0, Ordering::SeqCst);
    }

    /// Turns forward to `instant`; stays where it is when that is already past.
    pub fn turn_to(&self, instant: Timestamp) {
        self.turn_forward(instant.since(self.now()));
    }
}

impl Clock for TurnableClock {
    fn now(&self) -> Timestamp {
        let base = self.standing_at.unwrap_or_else(|| SystemClock.now());
        Timestamp(base.0.saturating_add(self.turned_by.load(Ordering::SeqCst)))
    }

    fn uptime(&self) -> Span {
        let base = self.standing_at.map_or_else(|| SystemClock.uptime(), |_| Span::ZERO);
        base.plus(Span(self.turned_by.load(Ordering::SeqCst).max(0)))
    }

    fn pause(&self, span: Span) -> BoxFuture<'static, ()> {
        match self.standing_at {
            Some(_) => Box::pin(std::future::ready(())),
            None => Box::pin(tokio::time::sleep(span.to_std())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_write_them() {
        for (text, millis) in
            [("30m", 1_800_000), ("1h 30m", 5_400_000), ("45s", 45_000), ("1d", 86_400_000)]
        {
            assert_eq!(text.parse(), Ok(Span(millis)), "{text}");
        }
        for text in ["", "30", "soon", "-5m"] {
            assert!(text.parse::<Span>().is_err(), "{text} must be refused");
        }
    }

    #[test]
    fn spans_show_their_two_largest_units() {
        for (millis, text) in
            [(0, "0 s"), (45_000, "45 s"), (5_400_000, "1 h 30 min"), (90_061_001, "1 d 1 h")]
        {
            assert_eq!(Span(millis).to_string(), text);
        }
    }

    #[test]
    fn instants_show_in_utc() {
        assert_eq!(Timestamp(1_789_380_000_000).to_string(), "2026-09-14T10:00:00.000Z");
    }
}
