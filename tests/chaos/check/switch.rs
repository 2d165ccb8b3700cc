//! The stop switch against the company's books: what arrives there between the operator's `stop` and `start`
//! was under way before.

use std::collections::BTreeMap;

use super::Findings;
use crate::evidence::Evidence;

pub fn check(evidence: &Evidence, findings: &mut Findings) {
    let executions = evidence.desk.executions.iter();
    let by_key: BTreeMap<&str, &str> =
        executions.map(|row| (row.key.as_str(), row.id.as_str())).collect();
    for stopped in &evidence.stopped {
        let calls = evidence.company.calls.get(stopped.from..stopped.to).unwrap_or_default();
        for call in calls {
            let known = by_key.get(call.key.as_str());
            if !known.is_some_and(|id| stopped.under_way.contains(*id)) {
                findings.add(format!("{} was called while everything was stopped", call.key));
            }
        }
    }
}
