//! The company's own books against what people decided.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Findings;
use crate::evidence::{Evidence, ExecutionRow, json, subject_of};

/// Refunds up to this need nobody.
const SMALL: f64 = 50.0;

pub fn check(evidence: &Evidence, findings: &mut Findings) {
    let by_key: BTreeMap<&str, &ExecutionRow> =
        evidence.desk.executions.iter().map(|row| (row.key.as_str(), row)).collect();
    every_call_was_ordered(evidence, &by_key, findings);
    nothing_happened_twice(evidence, &by_key, findings);
    every_end_is_true(evidence, findings);
    nothing_happened_unapproved(evidence, findings);
}

/// Each call belongs to an execution that people or a rule allowed, with exactly its arguments.
fn every_call_was_ordered(
    evidence: &Evidence,
    by_key: &BTreeMap<&str, &ExecutionRow>,
    findings: &mut Findings,
) {
    for call in &evidence.company.calls {
        let Some(execution) = by_key.get(call.key.as_str()) else {
            findings.add(format!("the company was called with {}, which nobody ordered", call.key));
            continue;
        };
        if !may_run(evidence, execution) {
            findings.add(format!("{} ran and was not approved", execution.id));
        }
        let (what, amount) = subject_of(&execution.envelope);
        let body = json(&call.body);
        let named = body["what"].as_str().or_else(|| body["older_than"].as_str());
        if named != Some(&what) || !same_amount(&body["amount"], &amount) {
            findings.add(format!("{} ran with other arguments: {}", execution.id, call.body));
        }
    }
    for payment in &evidence.company.ledger {
        let ordered = by_key.get(payment.key.as_str()).map(|row| subject_of(&row.envelope));
        let fits = ordered.is_some_and(|(what, amount)| {
            what == payment.what && same_amount(&json(&payment.amount), &amount)
        });
        if !fits {
            findings.add(format!("the ledger has {} for nothing that was ordered", payment.key));
        }
    }
}

fn may_run(evidence: &Evidence, execution: &ExecutionRow) -> bool {
    match &execution.request_id {
        Some(request) => {
            let request = evidence.desk.requests.get(request);
            request.is_some_and(|row| row.outcome.as_deref() == Some("approved"))
        }
        None => subject_of(&execution.envelope).1.as_f64().is_some_and(|amount| amount <= SMALL),
    }
}

fn same_amount(one: &Value, other: &Value) -> bool {
    one.as_f64() == other.as_f64()
}

/// Every wish has its own number, so its effect may stand in the books once, under any key.
fn nothing_happened_twice(
    evidence: &Evidence,
    by_key: &BTreeMap<&str, &ExecutionRow>,
    findings: &mut Findings,
) {
    let mut paid = BTreeSet::new();
    for payment in &evidence.company.ledger {
        if !paid.insert(&payment.what) {
            findings.add(format!("{} was paid twice", payment.what));
        }
    }
    let mut called: BTreeMap<&str, u64> = BTreeMap::new();
    for call in &evidence.company.calls {
        *called.entry(&call.key).or_default() += 1;
    }
    let mut days = BTreeSet::new();
    for (key, times) in called {
        let Some(execution) = by_key.get(key) else { continue };
        if !matches!(execution.retry_class.as_str(), "once" | "probe") {
            continue;
        }
        if times > 1 {
            findings.add(format!("{} was called {times} times, and may be once", execution.id));
        }
        if !days.insert(subject_of(&execution.envelope).0) {
            findings.add(format!("{} repeats what another did", execution.id));
        }
    }
}

/// What an execution says of itself is what the company's books say.
fn every_end_is_true(evidence: &Evidence, findings: &mut Findings) {
    let company = &evidence.company;
    for execution in &evidence.desk.executions {
        let called = company.calls.iter().any(|call| call.key == execution.key);
        let payment = company.ledger.iter().find(|payment| payment.key == execution.key);
        let note = execution.note.as_deref().unwrap_or_default();
        let lies = match execution.state.as_str() {
            "succeeded" if matches!(execution.retry_class.as_str(), "keyed" | "probe") => {
                payment.is_none_or(|payment| !note.contains(&payment.receipt))
            }
            // The company keeps no book of who looks.
            "succeeded" if execution.retry_class == "pure" => note.is_empty(),
            "succeeded" => !called,
            // Certainly not applied.
            "failed" | "refused" => payment.is_some() || note.is_empty(),
            "unknown" => note.is_empty(),
            _ => true,
        };
        if lies || (called && execution.attempts == 0) {
            let ExecutionRow { id, state, note, .. } = execution;
            findings.add(format!("{id} is {state} ({note:?}), and the books say otherwise"));
        }
    }
}

/// What was rejected or expired left no trace, and what was approved was ordered once.
fn nothing_happened_unapproved(evidence: &Evidence, findings: &mut Findings) {
    let ordered: BTreeSet<&str> =
        evidence.desk.executions.iter().filter_map(|row| row.request_id.as_deref()).collect();
    let mut happened: BTreeSet<String> =
        evidence.company.ledger.iter().map(|payment| payment.what.clone()).collect();
    let days = evidence.company.calls.iter().map(|call| json(&call.body));
    happened.extend(days.filter_map(|body| body["older_than"].as_str().map(str::to_owned)));
    for request in evidence.desk.requests.values() {
        let (what, _) = subject_of(&request.envelope);
        match request.outcome.as_deref() {
            Some("approved") if !ordered.contains(request.id.as_str()) => {
                findings.add(format!("{} is approved and was never ordered", request.id));
            }
            Some("approved") => {}
            other if happened.contains(&what) || ordered.contains(request.id.as_str()) => {
                findings.add(format!("{} is {other:?}, and {what} happened", request.id));
            }
            _ => {}
        }
    }
}
