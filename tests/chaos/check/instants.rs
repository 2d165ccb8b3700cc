//! Whatever the clocks say: by the desk's own record nothing happens before its time, or twice.

use std::collections::BTreeSet;

use super::Findings;
use crate::evidence::{Evidence, RequestRow, json};

pub fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut fired = BTreeSet::new();
    let mut newest = i64::MIN;
    for record in &evidence.desk.audit {
        if record.at < newest {
            findings.add(format!("time goes back to {} at {}", record.at, record.subject));
        }
        newest = record.at;
        if let Some(timer) = record.body["evidence"]["timer"].as_str() {
            if !fired.insert(timer) {
                findings.add(format!("the timer {timer} of {} fired twice", record.subject));
            }
            let due = evidence.desk.timers.get(timer);
            if due.is_none_or(|due| record.at < *due) {
                findings.add(format!("a timer of {} fired early, due {due:?}", record.subject));
            }
        }
        let request = evidence.desk.requests.get(&record.subject);
        if let Some(request) = request.filter(|_| record.kind == "request.expired")
            && record.at < decide_by(request)
        {
            findings.add(format!("{} expired before its last stage had ended", request.id));
        }
    }
}

/// When the last stage ends.
fn decide_by(request: &RequestRow) -> i64 {
    let terms = json(&request.terms);
    let stages = terms["path"].as_array().into_iter().flatten();
    request.asked_at + stages.filter_map(|stage| stage["within"].as_i64()).sum::<i64>()
}
