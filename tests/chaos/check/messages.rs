//! Every message that was answered with 200 led to one run, and every run to one end.

use std::collections::{BTreeMap, BTreeSet};

use super::Findings;
use crate::evidence::{Evidence, json};

/// What became of the events.
#[derive(Debug, Default)]
pub struct Heard {
    /// Messages meant for an agent and answered with 200.
    pub messages: usize,
    /// Tries that got no 200.
    pub refused: usize,
    /// Answered with 200 although their message had been taken.
    pub again: usize,
}

pub fn heard(evidence: &Evidence) -> Heard {
    let (mut heard, mut seen) = (Heard::default(), BTreeSet::new());
    for event in evidence.slack.iter().filter(|passed| passed.what == "POST /slack/events") {
        match place(&event.sent["event"]) {
            _ if event.status != 200 => heard.refused += 1,
            Some(place) if seen.insert(place.clone()) => heard.messages += 1,
            Some(_) => heard.again += 1,
            None => {}
        }
    }
    heard
}

pub fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut runs: BTreeMap<(String, String), usize> = BTreeMap::new();
    for run in &evidence.desk.runs {
        let ts = json(&run.input)["ts"].as_str().unwrap_or_default().to_owned();
        *runs.entry((run.channel.clone(), ts)).or_default() += 1;
        match (run.state.as_str(), run.replies) {
            ("done" | "failed", 1) => {}
            (state, replies) => {
                let error = &run.error;
                findings.add(format!("{} is {state} with {replies} replies ({error:?})", run.id));
            }
        }
    }
    for event in evidence.slack.iter().filter(|passed| passed.what == "POST /slack/events") {
        let Some(place) = place(&event.sent["event"]).filter(|_| event.status == 200) else {
            continue;
        };
        let count = runs.get(&place).copied().unwrap_or_default();
        if count != 1 {
            findings.add(format!("the message {place:?} was answered and led to {count} runs"));
        }
    }
}

/// Where a message stands that is meant for an agent: a direct one, or a mention. The copy of a
/// mention that comes as a plain message is answered and taken only if it comes second.
fn place(event: &serde_json::Value) -> Option<(String, String)> {
    let meant = event["type"] == "app_mention"
        || (event["type"] == "message" && event["channel_type"] == "im");
    let (channel, ts) = (event["channel"].as_str()?, event["ts"].as_str()?);
    meant.then(|| (channel.to_owned(), ts.to_owned()))
}
