//! What people see is true: nothing posted twice, nothing left to press, every end readable.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Findings;
use crate::evidence::{Evidence, ExecutionRow, json};

pub fn check(evidence: &Evidence, findings: &mut Findings) {
    requests_have_ended(evidence, findings);
    posted_once(evidence, findings);
    for text in &evidence.walls.live {
        findings.add(format!("a card still offers a decision: {text}"));
    }
    for execution in &evidence.desk.executions {
        if let Some(request) = &execution.request_id {
            end_is_visible(evidence, execution, request, findings);
        }
    }
    for record in evidence.desk.audit.iter().filter(|record| record.kind == "defect.mended") {
        findings.add(format!("a start had to mend {}: {}", record.subject, record.body));
    }
}

/// No request waits for a timer that does not come, and none is stuck.
fn requests_have_ended(evidence: &Evidence, findings: &mut Findings) {
    for request in evidence.desk.requests.values() {
        match (request.outcome.as_deref(), request.live_timers) {
            (None, 0) => findings.add(format!("{} is pending without a timer", request.id)),
            (None, timers) => {
                findings.add(format!("{} is pending still, with {timers} timers", request.id));
            }
            (Some(_), 0) => {}
            (Some(outcome), timers) => {
                findings.add(format!("{} is {outcome} with {timers} live timers", request.id));
            }
        }
    }
}

/// Each card and notice names itself in its metadata, so a second post of one can be seen.
fn posted_once(evidence: &Evidence, findings: &mut Findings) {
    let mut posts: BTreeMap<String, usize> = BTreeMap::new();
    let posted = evidence
        .slack
        .iter()
        .filter(|passed| passed.what == "chat.postMessage" && passed.answer["ok"] == true);
    for post in posted {
        if let Some(id) = name_of(&post.sent["metadata"]) {
            *posts.entry(id).or_default() += 1;
        }
    }
    if posts.is_empty() {
        findings.add("no post names itself, so doubles could not be seen".to_owned());
    }
    for (id, times) in posts.into_iter().filter(|&(_, times)| times > 1) {
        findings.add(format!("{id} was posted {times} times"));
    }
}

/// Metadata travels as an object, or as the text of one.
fn name_of(metadata: &Value) -> Option<String> {
    let read = metadata.as_str().map(json);
    let metadata = read.as_ref().unwrap_or(metadata);
    metadata["event_payload"]["id"].as_str().map(str::to_owned)
}

/// The words of a card for how an action ended.
fn words_for(state: &str) -> Option<&'static str> {
    match state {
        "succeeded" => Some("It ran and succeeded."),
        "unknown" => Some("OUTCOME UNKNOWN"),
        "refused" => Some("It was not started"),
        "failed" => Some("It failed and certainly changed nothing."),
        _ => None,
    }
}

fn end_is_visible(
    evidence: &Evidence,
    execution: &ExecutionRow,
    request: &str,
    findings: &mut Findings,
) {
    let cards = evidence.desk.cards.iter().filter(|card| card.request_id == request);
    for card in cards.filter(|card| card.state == "open" && card.kind == "stage") {
        let place = card.channel.clone().zip(card.message_ts.clone());
        let seen = place.as_ref().and_then(|place| evidence.walls.texts.get(place));
        let (Some(words), Some(seen)) = (words_for(&execution.state), seen) else {
            findings.add(format!("{request} has a card that nobody can see: {place:?}"));
            continue;
        };
        if !seen.contains(words) {
            findings.add(format!("the card of {request} does not say that {words}"));
        }
    }
}
