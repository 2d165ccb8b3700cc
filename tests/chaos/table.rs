//! What a campaign amounts to, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use crate::check::{answered, heard};
use crate::evidence::Evidence;

/// What the campaign itself counted.
#[derive(Debug, Default)]
pub struct Tally {
    pub kills: u64,
    pub while_starting: u64,
    pub in_a_call: u64,
    pub in_a_click: u64,
    /// Somebody waited for an answer, or the desk for the company's.
    pub in_flight: u64,
    /// How often a desk was stopped for a while, and how often until its leases had ended.
    pub stood_still: u64,
    pub leases_ended: u64,
    /// Calls that the disk did not do, how often a desk stopped because of it, and power cuts.
    pub disk_failed: u64,
    pub stopped: u64,
    pub power_cuts: u64,
    pub clock_set: u64,
    /// How often the operator stopped everything.
    pub thrown: u64,
    pub starts: u64,
    /// How long they took, together.
    pub opening: Duration,
    /// How long it took until nothing was owed any more.
    pub peace: Duration,
    pub written: u64,
    pub events_again: usize,
    pub took: Duration,
}

const LEASES_ENDED: &str = "  until its leases had ended";

/// Rows that begin with a space belong to the last one that does not.
#[derive(Default)]
pub struct Table(Vec<(String, Option<u64>)>);

impl Table {
    pub fn of(evidence: &Evidence, tally: &Tally) -> Self {
        let mut table = Self(Vec::new());
        table.row("kills", tally.kills);
        table.row("  while it started", tally.while_starting);
        table.row("  as a call reached the company", tally.in_a_call);
        table.row("  as a click was on its way", tally.in_a_click);
        table.row("  with a click or a call under way", tally.in_flight);
        table.row("times it stood still", tally.stood_still);
        table.row(LEASES_ENDED, tally.leases_ended);
        table.row("calls that the disk did not do", tally.disk_failed);
        table.row("  after which the desk stopped", tally.stopped);
        table.row("power cuts", tally.power_cuts);
        table.row("times the clock was set", tally.clock_set);
        table.row("times everything was stopped", tally.thrown);
        table.row("starts", tally.starts);
        table.row("  seconds until they were open", tally.opening.as_secs());
        let heard = heard(evidence);
        table.row("messages written", tally.written);
        table.row("  answered with 200, each one run", heard.messages);
        table.row("  deliveries refused or lost", heard.refused);
        let answered = answered(evidence);
        table.row("clicks answered with 200", answered.all());
        table.row("  counted", answered.counted);
        table.row("  refused with a reason", answered.refused);
        table.row("  opened a dialog", answered.dialogs);
        let desk = &evidence.desk;
        table.row("requests", desk.requests.len());
        let outcomes = desk.requests.values().map(|row| row.outcome.as_deref());
        table.rows(outcomes.map(|outcome| outcome.unwrap_or("pending")));
        table.row("executions", desk.executions.len());
        table.rows(desk.executions.iter().map(|row| row.state.as_str()));
        table.row("  begun more than once", desk.executions.iter().filter(again).count());
        table.row("calls that reached the company", evidence.company.calls.len());
        table.row("payments in its ledger", evidence.company.ledger.len());
        let repeated = evidence.company.calls.len() - distinct_calls(evidence);
        table.0.push(("duplicates suppressed".to_owned(), None));
        table.row("  events", heard.again + tally.events_again);
        table.row("  clicks", answered.again);
        table.row("  calls with a known key", repeated);
        table.row("audit records", desk.audit.len());
        table.row("seconds", tally.took.as_secs());
        table.row("  of peace", tally.peace.as_secs());
        table
    }

    /// How often somebody stood still for longer than their leases.
    pub fn leases_ended(&self) -> u64 {
        let row = self.0.iter().find(|(what, _)| what == LEASES_ENDED);
        row.and_then(|(_, value)| *value).unwrap_or_default()
    }

    /// Adds what another campaign amounts to.
    pub fn take_in(&mut self, other: &Self) {
        let mut heading = 0;
        for (what, value) in &other.0 {
            let belongs = what.starts_with(' ');
            let end = match belongs {
                true => self.end_of(heading),
                false => self.0.len(),
            };
            let from = if belongs { heading } else { 0 };
            let known = self.0[from..end].iter().position(|(known, _)| known == what);
            let at = match known {
                Some(nth) => from + nth,
                None => {
                    self.0.insert(end, (what.clone(), value.map(|_| 0)));
                    end
                }
            };
            if let (Some(sum), Some(value)) = (&mut self.0[at].1, value) {
                *sum += value;
            }
            heading = if belongs { heading } else { at };
        }
    }

    /// Where the next row stands that does not belong to this one.
    fn end_of(&self, heading: usize) -> usize {
        let rest = self.0.iter().skip(heading + 1);
        heading + 1 + rest.take_while(|(what, _)| what.starts_with(' ')).count()
    }

    fn row(&mut self, what: &str, value: impl TryInto<u64>) {
        self.0.push((what.to_owned(), value.try_into().ok()));
    }

    fn rows<'a>(&mut self, words: impl Iterator<Item = &'a str>) {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for word in words {
            *counts.entry(word).or_default() += 1;
        }
        for (word, count) in counts {
            self.row(&format!("  {word}"), count);
        }
    }
}

fn again(row: &&crate::evidence::ExecutionRow) -> bool {
    row.attempts > 1
}

fn distinct_calls(evidence: &Evidence) -> usize {
    let keys = evidence.company.calls.iter().map(|call| call.key.as_str());
    keys.collect::<std::collections::BTreeSet<_>>().len()
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (what, value) in &self.0 {
            let value = value.map(|value| value.to_string()).unwrap_or_default();
            writeln!(f, "{what:<36}{value:>8}")?;
        }
        Ok(())
    }
}
