//! How fast something outside may be asked for. Nothing here sleeps or reads a clock: whoever is too
//! early is told when to come again, and can do something else meanwhile. Those who wait for the
//! same thing are told one moment each, in turn: else all would come at once, for one of them.

use std::collections::{BTreeMap, VecDeque};

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

/// How long it is remembered who was served last, after all is at rest.
const REMEMBERED: Span = Span::seconds(15);

/// Whoever comes with an instant that is older than the last by less has only come late.
const SET_BACK: Span = Span::seconds(1);

/// How far everything is from rest. What has been at rest for long is not in it.
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
        self.paces.retain(|_, pace| !pace.is_forgotten(now));
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

    /// Takes the slots of several calls, each as [`Paces::take`] does. Those of one place (the first
    /// of several slots) keep their order; among the places the one goes first that has been quiet
    /// for longest. Else a crowded place would take all that the others may ask for, too.
    pub fn take_fairly(
        &mut self,
        calls: &[Vec<Slot>],
        now: Timestamp,
    ) -> Vec<Result<(), Timestamp>> {
        let mut lanes: Vec<Lane<'_>> = Vec::new();
        for (nth, slots) in calls.iter().enumerate() {
            let place = slots.split_last().and_then(|(_, rest)| rest.first());
            let place = place.map_or("", |slot| slot.what.as_str());
            match lanes.iter_mut().find(|lane| lane.place == place) {
                Some(lane) => lane.waiting.push_back(nth),
                None => lanes.push(Lane { place, waiting: [nth].into(), refused: 0 }),
            }
        }
        let mut told = vec![Ok(()); calls.len()];
        loop {
            let quiet_since = |place: &str| self.paces.get(place).map(|pace| pace.full_at);
            let waiting = lanes.iter_mut().filter(|lane| !lane.waiting.is_empty());
            let next = waiting.min_by_key(|lane| (lane.refused, quiet_since(lane.place)));
            let Some(lane) = next else { return told };
            let Some(nth) = lane.waiting.pop_front() else { return told };
            told[nth] = self.take(&calls[nth], Haste::InTurn, now);
            lane.refused += u32::from(told[nth].is_err());
        }
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

/// Calls of one place, by their number.
struct Lane<'a> {
    place: &'a str,
    waiting: VecDeque<usize>,
    refused: u32,
}

impl Pace {
    fn follow(&mut self, back: i64) {
        for at in [&mut self.full_at, &mut self.line_at].into_iter().chain(&mut self.held) {
            *at = Timestamp::from_millis(at.as_millis() - back);
        }
    }

    fn is_forgotten(&self, now: Timestamp) -> bool {
        let held = self.held.is_some_and(|until| until > now);
        self.full_at.plus(REMEMBERED) <= now && self.line_at <= now && !held
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
mod tests;
