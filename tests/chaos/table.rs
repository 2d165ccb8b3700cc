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
    pub starts: u64,
    pub written: u64,
    pub events_again: usize,
    pub took: Duration,
}

pub struct Table(Vec<(String, String)>);

impl Table {
    pub fn of(evidence: &Evidence, tally: &Tally) -> Self {
        let mut table = Self(Vec::new());
        table.row("kills", tally.kills);
        table.row("  while it started", tally.while_starting);
        table.row("  as a call reached the company", tally.in_a_call);
        table.row("  as a click was on its way", tally.in_a_click);
        table.row("starts", tally.starts);
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
        table.row("duplicates suppressed", "");
        table.row("  events", heard.again + tally.events_again);
        table.row("  clicks", answered.again);
        table.row("  calls with a known key", repeated);
        table.row("audit records", desk.audit.len());
        table.row("time", format!("{} s", tally.took.as_secs()));
        table
    }

    fn row(&mut self, what: &str, value: impl ToString) {
        self.0.push((what.to_owned(), value.to_string()));
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
            writeln!(f, "{what:<36}{value:>8}")?;
        }
        Ok(())
    }
}
