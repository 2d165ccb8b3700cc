//! How fast we may call Slack. Nothing here sleeps or reads a clock: a call that is too early is
//! told when to come again, so that whoever owes it can do something else meanwhile. Those who wait
//! for the same thing are told one moment each, in turn: else all would come at once, for one of
//! them.
//!
//! Slack counts each method by itself, in tiers of so many a minute, and posts at about one a
//! second and channel with short bursts. When it answers 429 all the same, that method waits.

use std::collections::HashMap;

use super::client::{Method, Tier};
use crate::base::{Span, Timestamp};

/// The pacing of one installation's token.
#[derive(Debug, Default)]
pub struct Pacing {
    methods: HashMap<Method, Bucket>,
    channels: HashMap<String, Bucket>,
    /// Until when Slack said to wait.
    held: HashMap<Method, Timestamp>,
    /// The last moment that was named to somebody who waits.
    lines: HashMap<Line, Timestamp>,
    /// The last that was heard of the clock.
    now: Timestamp,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Line {
    Method(Method),
    Channel(String),
}

/// One call every `every`, and `burst` at once after a rest.
#[derive(Clone, Copy, Debug)]
struct Rate {
    every: Span,
    burst: u32,
}

/// When the bucket would be full again: all that must be known to say if one more call fits.
#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    full_at: Timestamp,
}

/// Nobody is sent away for longer, however many wait: some never come again, and their moments
/// would be lost.
const LONGEST_LINE: Span = Span::seconds(60);

const POSTS_IN_A_CHANNEL: Rate = Rate { every: Span::seconds(1), burst: 3 };

/// Half a minute's worth may come at once: the tiers are floors, and people click in bursts.
const fn rate(tier: Tier) -> Rate {
    match tier {
        Tier::Two => Rate { every: Span::millis(3_000), burst: 10 },
        Tier::Three => Rate { every: Span::millis(1_200), burst: 25 },
        Tier::Four => Rate { every: Span::millis(600), burst: 50 },
        Tier::Special => Rate { every: Span::millis(250), burst: 120 },
    }
}

impl Pacing {
    /// Takes one call, or says when to come again. A call that is refused takes nothing but its
    /// place in the line.
    pub fn admit(
        &mut self,
        method: Method,
        channel: Option<&str>,
        now: Timestamp,
    ) -> Result<(), Timestamp> {
        self.follows(now);
        let post_in = channel.filter(|_| method == Method::ChatPostMessage);
        self.channels.retain(|_, bucket| bucket.full_at > now);
        self.lines.retain(|_, last| *last > now);

        let rate = rate(method.tier());
        let by_method = self.methods.get(&method).copied().unwrap_or_default();
        let by_channel = post_in.and_then(|id| self.channels.get(id).copied()).unwrap_or_default();
        let held = self.held.get(&method).copied().unwrap_or(now);
        let method_allows = by_method.earliest(rate, now).max(held);
        let channel_allows = by_channel.earliest(POSTS_IN_A_CHANNEL, now);
        match post_in {
            Some(id) if channel_allows > now.max(method_allows) => {
                let line = Line::Channel(id.to_owned());
                return Err(self.place_in(line, channel_allows, POSTS_IN_A_CHANNEL, now));
            }
            _ if method_allows > now => {
                return Err(self.place_in(Line::Method(method), method_allows, rate, now));
            }
            _ => {}
        }

        self.methods.insert(method, by_method.with_one_more(rate, now));
        if let Some(id) = post_in {
            self.channels.insert(id.to_owned(), by_channel.with_one_more(POSTS_IN_A_CHANNEL, now));
        }
        Ok(())
    }

    /// The next moment that nobody else in this line was told.
    fn place_in(
        &mut self,
        line: Line,
        earliest: Timestamp,
        rate: Rate,
        now: Timestamp,
    ) -> Timestamp {
        let behind = self.lines.get(&line).map(|last| last.plus(rate.every));
        let end = earliest.max(now.plus(LONGEST_LINE));
        let place = behind.unwrap_or(earliest).clamp(earliest, end);
        self.lines.insert(line, place);
        place
    }

    /// Slack said to wait with this method.
    pub fn hold(&mut self, method: Method, retry_after: Span, now: Timestamp) {
        self.follows(now);
        self.held.insert(method, now.plus(retry_after));
    }

    /// When the clock was set back, whatever is waited for lies as far ahead as it did. Else it would be
    /// waited for until the clock has caught up.
    fn follows(&mut self, now: Timestamp) {
        let back = self.now.since(now).as_millis();
        self.now = now;
        if back > 0 {
            let methods = self.methods.values_mut().map(|bucket| &mut bucket.full_at);
            let channels = self.channels.values_mut().map(|bucket| &mut bucket.full_at);
            let waits = self.held.values_mut().chain(self.lines.values_mut());
            for at in methods.chain(channels).chain(waits) {
                *at = Timestamp::from_millis(at.as_millis() - back);
            }
        }
    }
}

impl Bucket {
    /// The first moment, not before `now`, at which one more call fits.
    fn earliest(self, rate: Rate, now: Timestamp) -> Timestamp {
        let behind = self.full_at.since(now).as_millis();
        let room = rate.every.as_millis() * i64::from(rate.burst - 1);
        Timestamp::from_millis(now.as_millis() + (behind - room).max(0))
    }

    fn with_one_more(self, rate: Rate, now: Timestamp) -> Self {
        Self { full_at: self.full_at.max(now).plus(rate.every) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_789_380_000_000);

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(START.as_millis() + millis)
    }

    fn post(pacing: &mut Pacing, channel: &str, millis: i64) -> Result<(), i64> {
        let admitted = pacing.admit(Method::ChatPostMessage, Some(channel), at(millis));
        admitted.map_err(|until| until.as_millis() - START.as_millis())
    }

    #[test]
    fn a_channel_takes_a_short_burst_and_then_one_post_a_second() {
        let mut pacing = Pacing::default();
        let transcript = [
            ("C1", 0, Ok(())),
            ("C1", 0, Ok(())),
            ("C1", 0, Ok(())),
            ("C1", 0, Err(1000)),
            ("C2", 0, Ok(())),
            ("C1", 999, Err(2000)),
            ("C1", 1000, Ok(())),
            ("C1", 1000, Err(3000)),
            ("C1", 2000, Ok(())),
            ("C1", 3000, Ok(())),
            ("C1", 3000, Err(4000)),
            ("C1", 9000, Ok(())),
        ];
        for (channel, millis, expected) in transcript {
            assert_eq!(post(&mut pacing, channel, millis), expected, "{channel} at {millis}");
        }
    }

    #[test]
    fn a_method_never_runs_far_over_its_tier() {
        for (method, a_minute) in
            [(Method::UsergroupsUsersList, 20), (Method::ChatUpdate, 50), (Method::UsersInfo, 100)]
        {
            let mut pacing = Pacing::default();
            let admitted = |pacing: &mut Pacing, from: i64| {
                (from..from + 600)
                    .filter(|tenth| pacing.admit(method, None, at(tenth * 100)).is_ok())
                    .count()
            };
            let first = admitted(&mut pacing, 0);
            let second = admitted(&mut pacing, 600);
            assert!(first <= a_minute * 3 / 2, "{method:?}: {first} in the first minute");
            assert_eq!(second, a_minute, "{method:?} in the second minute");
        }
    }

    #[test]
    fn whoever_comes_when_told_is_let_in() {
        let mut pacing = Pacing::default();
        for _ in 0..3 {
            post(&mut pacing, "C1", 0).unwrap();
        }
        let told: Vec<i64> = (0..50).map(|_| post(&mut pacing, "C1", 0).unwrap_err()).collect();
        assert_eq!(told, (1..=50).map(|nth| nth * 1000).collect::<Vec<_>>());
        assert_eq!(post(&mut pacing, "C2", 0), Ok(()), "another channel has a line of its own");
        for at in told {
            assert_eq!(post(&mut pacing, "C1", at), Ok(()), "at {at}");
        }
    }

    #[test]
    fn a_line_is_never_longer_than_a_minute_and_those_who_stay_away_stop_nobody() {
        let mut pacing = Pacing::default();
        for _ in 0..3 {
            post(&mut pacing, "C1", 0).unwrap();
        }
        let told: Vec<i64> = (0..500).map(|_| post(&mut pacing, "C1", 0).unwrap_err()).collect();
        assert_eq!(told.last(), Some(&60_000));
        assert_eq!(post(&mut pacing, "C1", 1000), Ok(()), "nobody else came");
    }

    #[test]
    fn retry_after_holds_its_method_and_no_other() {
        let mut pacing = Pacing::default();
        pacing.hold(Method::ChatUpdate, Span::seconds(30), START);
        assert_eq!(pacing.admit(Method::ChatUpdate, None, at(29_999)), Err(at(30_000)));
        assert_eq!(pacing.admit(Method::UsersInfo, None, at(0)), Ok(()));
        assert_eq!(pacing.admit(Method::ChatUpdate, None, at(30_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nothing_for_longer() {
        let mut pacing = Pacing::default();
        pacing.hold(Method::ChatUpdate, Span::seconds(30), START);
        for _ in 0..3 {
            post(&mut pacing, "C1", 10_000).unwrap();
        }
        let back = -3_600_000;
        assert_eq!(post(&mut pacing, "C1", back), Err(back + 1000));
        assert_eq!(post(&mut pacing, "C1", back + 1000), Ok(()));
        let held = |pacing: &mut Pacing, millis| pacing.admit(Method::ChatUpdate, None, at(millis));
        assert_eq!(held(&mut pacing, back + 19_999), Err(at(back + 20_000)));
        assert_eq!(held(&mut pacing, back + 20_000), Ok(()));
    }
}
