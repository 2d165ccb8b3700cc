//! How fast something outside may be asked for. Nothing here sleeps or reads a clock: whoever is too
//! early is told when to come again, and can do something else meanwhile. Those who wait for the
//! same thing are told one moment each, in turn: else all would come at once, for one of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Span, Timestamp};

/// One call every `every`, and `burst` at once after a rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    pub every: Span,
    pub burst: u32,
}

/// Room for one call of something. Most calls need one, some several: a post counts by its method
/// and by its channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    /// What is called, or where.
    pub what: String,
    pub rate: Rate,
}

/// Whether a call waits for its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Haste {
    /// It has time.
    InTurn,
    /// Somebody waits for the answer: it comes before all that have time. A pace is a guess at what
    /// the other side takes, and a sure no to a person is worse than one that the other side may say.
    Ahead,
}

/// Nobody is sent away for longer, however many wait: some never come again, and their moments
/// would be lost.
const LONGEST_LINE: Span = Span::seconds(60);

/// Whoever comes with an instant that is older than the last by less has only come late.
const SET_BACK: Span = Span::seconds(1);

/// How far everything is from rest. What is at rest is not in it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Paces {
    paces: BTreeMap<String, Pace>,
    /// The last that was heard of a clock that may be set back; one that is shared never is.
    #[serde(skip)]
    heard: Timestamp,
}

#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Pace {
    /// When a whole burst would fit again: all that must be known to say if one more call does.
    full_at: Timestamp,
    /// The last moment that was named to somebody who waits.
    line_at: Timestamp,
    /// Until when the other side said to wait.
    held: Option<Timestamp>,
}

impl Paces {
    /// Takes the slots of one call, all or none, or says when to come again. A call that is refused
    /// takes nothing but its place in the line. One that comes ahead is refused only while the other
    /// side said to wait; those in the line make up for it.
    pub fn take(&mut self, slots: &[Slot], haste: Haste, now: Timestamp) -> Result<(), Timestamp> {
        self.follow(now);
        self.paces.retain(|_, pace| !pace.is_at_rest(now));
        let free_at = |slot: &&Slot| match haste {
            Haste::InTurn => self.of(slot).free_at(slot.rate, now),
            Haste::Ahead => self.of(slot).held.unwrap_or(now),
        };
        if let Some(last) = slots.iter().max_by_key(free_at)
            && free_at(&last) > now
        {
            return Err(match haste {
                Haste::InTurn => self.pace(last).line_up(last.rate, now),
                Haste::Ahead => free_at(&last),
            });
        }
        for slot in slots {
            self.pace(slot).take_one(slot.rate, now);
        }
        Ok(())
    }

    /// How often the same call would be let in now. It promises nothing: others may come first.
    pub fn room(&mut self, slots: &[Slot], now: Timestamp) -> usize {
        self.follow(now);
        let rooms = slots.iter().map(|slot| self.of(slot).room(slot.rate, now));
        rooms.min().unwrap_or(usize::MAX)
    }

    /// The other side said to wait.
    pub fn hold(&mut self, what: &str, wait: Span, now: Timestamp) {
        self.follow(now);
        self.paces.entry(what.to_owned()).or_default().held = Some(now.plus(wait));
    }

    /// When the clock was set back, whatever is waited for lies as far ahead as it did. Else it would be
    /// waited for until the clock has caught up.
    fn follow(&mut self, now: Timestamp) {
        let back = self.heard.since(now);
        if back < SET_BACK {
            self.heard = self.heard.max(now);
            return;
        }
        self.heard = now;
        self.paces.values_mut().for_each(|pace| pace.follow(back.as_millis()));
    }

    fn of(&self, slot: &Slot) -> Pace {
        self.paces.get(&slot.what).copied().unwrap_or_default()
    }

    fn pace(&mut self, slot: &Slot) -> &mut Pace {
        self.paces.entry(slot.what.clone()).or_default()
    }
}

impl Pace {
    fn follow(&mut self, back: i64) {
        for at in [&mut self.full_at, &mut self.line_at].into_iter().chain(&mut self.held) {
            *at = Timestamp::from_millis(at.as_millis() - back);
        }
    }

    fn is_at_rest(&self, now: Timestamp) -> bool {
        let held = self.held.is_some_and(|until| until > now);
        self.full_at <= now && self.line_at <= now && !held
    }

    /// The first moment, not before `now`, at which one more call fits.
    fn free_at(&self, rate: Rate, now: Timestamp) -> Timestamp {
        let behind = self.behind(rate, now).as_millis();
        let room = rate.every.as_millis() * i64::from(rate.burst - 1);
        let free_at = Timestamp::from_millis(now.as_millis() + (behind - room).max(0));
        self.held.map_or(free_at, |until| free_at.max(until))
    }

    /// How far it is from rest; never more than a burst, even when a clock was set back.
    fn behind(&self, rate: Rate, now: Timestamp) -> Span {
        let all = Span::millis(rate.every.as_millis() as u32 * rate.burst);
        self.full_at.since(now).min(all)
    }

    fn room(&self, rate: Rate, now: Timestamp) -> usize {
        if self.free_at(rate, now) > now {
            return 0;
        }
        let every = rate.every.as_millis();
        let left = every * i64::from(rate.burst) - self.behind(rate, now).as_millis();
        usize::try_from(left / every).unwrap_or_default()
    }

    fn take_one(&mut self, rate: Rate, now: Timestamp) {
        self.full_at = now.plus(self.behind(rate, now)).plus(rate.every);
    }

    /// The next moment that nobody else in this line was told.
    fn line_up(&mut self, rate: Rate, now: Timestamp) -> Timestamp {
        let first = self.free_at(rate, now);
        let end = first.max(now.plus(LONGEST_LINE));
        let behind = if self.line_at > now { self.line_at.plus(rate.every) } else { first };
        self.line_at = behind.clamp(first, end);
        self.line_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_millis(1_789_380_000_000);
    const POSTS: Rate = Rate { every: Span::seconds(1), burst: 3 };
    const CALLS: Rate = Rate { every: Span::millis(250), burst: 120 };

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(START.as_millis() + millis)
    }

    fn slot(what: &str, rate: Rate) -> Slot {
        Slot { what: what.to_owned(), rate }
    }

    fn post(paces: &mut Paces, channel: &str, millis: i64) -> Result<(), i64> {
        let slots = [slot(channel, POSTS), slot("post", CALLS)];
        paces
            .take(&slots, Haste::InTurn, at(millis))
            .map_err(|until| until.as_millis() - START.as_millis())
    }

    #[test]
    fn a_channel_takes_a_short_burst_and_then_one_post_a_second() {
        let mut paces = Paces::default();
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
            assert_eq!(post(&mut paces, channel, millis), expected, "{channel} at {millis}");
        }
    }

    #[test]
    fn whoever_comes_when_told_is_let_in() {
        let mut paces = Paces::default();
        for _ in 0..3 {
            post(&mut paces, "C1", 0).unwrap();
        }
        let told: Vec<i64> = (0..50).map(|_| post(&mut paces, "C1", 0).unwrap_err()).collect();
        assert_eq!(told, (1..=50).map(|nth| nth * 1000).collect::<Vec<_>>());
        assert_eq!(post(&mut paces, "C2", 0), Ok(()), "another channel has a line of its own");
        for at in told {
            assert_eq!(post(&mut paces, "C1", at), Ok(()), "at {at}");
        }
    }

    #[test]
    fn a_line_is_never_longer_than_a_minute_and_those_who_stay_away_stop_nobody() {
        let mut paces = Paces::default();
        for _ in 0..3 {
            post(&mut paces, "C1", 0).unwrap();
        }
        let told: Vec<i64> = (0..500).map(|_| post(&mut paces, "C1", 0).unwrap_err()).collect();
        assert_eq!(told.last(), Some(&60_000));
        assert_eq!(post(&mut paces, "C1", 1000), Ok(()), "nobody else came");
    }

    #[test]
    fn what_is_held_waits_and_nothing_else_does() {
        let mut paces = Paces::default();
        paces.hold("update", Span::seconds(30), START);
        assert_eq!(
            paces.take(&[slot("update", CALLS)], Haste::InTurn, at(29_999)),
            Err(at(30_000))
        );
        assert_eq!(paces.take(&[slot("info", CALLS)], Haste::InTurn, START), Ok(()));
        assert_eq!(paces.take(&[slot("update", CALLS)], Haste::InTurn, at(30_000)), Ok(()));
    }

    #[test]
    fn whoever_is_waited_for_comes_first_and_the_others_make_up_for_it() {
        let mut paces = Paces::default();
        for _ in 0..3 {
            post(&mut paces, "C1", 0).unwrap();
        }
        assert_eq!(post(&mut paces, "C1", 0), Err(1000));
        for _ in 0..50 {
            assert_eq!(paces.take(&[slot("C1", POSTS)], Haste::Ahead, START), Ok(()));
        }
        // What was taken ahead is never more than a burst to make up for.
        assert_eq!(post(&mut paces, "C1", 1000), Err(2000));
        assert_eq!(post(&mut paces, "C1", 2000), Ok(()));

        paces.hold("C1", Span::seconds(30), at(2000));
        assert_eq!(paces.take(&[slot("C1", POSTS)], Haste::Ahead, at(31_999)), Err(at(32_000)));
        assert_eq!(paces.take(&[slot("C1", POSTS)], Haste::Ahead, at(32_000)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_set_back_stops_nothing_for_long() {
        let mut paces = Paces::default();
        paces.hold("post", Span::seconds(30), START);
        for _ in 0..3 {
            post(&mut paces, "C1", 60_000).unwrap();
        }
        assert_eq!(post(&mut paces, "C1", -3_600_000), Err(-3_600_000 + 1000));

        let mut paces = Paces::default();
        paces.hold("post", Span::seconds(30), START);
        assert_eq!(post(&mut paces, "C1", -3_600_000), Err(-3_600_000 + 30_000));
        assert_eq!(post(&mut paces, "C1", -3_600_000 + 30_000), Ok(()));
    }

    #[test]
    fn what_is_at_rest_is_forgotten_and_the_rest_reads_back() {
        let mut paces = Paces::default();
        for channel in ["C1", "C2", "C3"] {
            post(&mut paces, channel, 0).unwrap();
        }
        paces.hold("update", Span::seconds(30), START);
        post(&mut paces, "C4", 1000).unwrap();
        let kept = serde_json::to_string(&paces).unwrap();
        let mut read: Paces = serde_json::from_str(&kept).unwrap();
        assert_eq!(read.paces.keys().collect::<Vec<_>>(), ["C4", "post", "update"], "{kept}");
        assert_eq!(read.take(&[slot("update", CALLS)], Haste::InTurn, at(2000)), Err(at(30_000)));
    }

    #[test]
    fn there_is_room_for_exactly_what_is_let_in() {
        let call = [slot("C1", POSTS), slot("post", CALLS)];
        for (burst, millis) in [(3, 0), (3, 999), (3, 1000), (3, 2500), (0, 0), (40, 30_000)] {
            let mut paces = Paces::default();
            for _ in 0..burst {
                let _ = paces.take(&call, Haste::InTurn, START);
            }
            let room = paces.room(&call, at(millis));
            let let_in = (0..100)
                .take_while(|_| paces.take(&call, Haste::InTurn, at(millis)).is_ok())
                .count();
            assert_eq!(room, let_in, "at {millis} after {burst}");
        }
        let mut paces = Paces::default();
        paces.hold("post", Span::seconds(60), START);
        assert_eq!(paces.room(&call, at(999)), 0);
        assert_eq!(paces.room(&[], START), usize::MAX);
    }
}
