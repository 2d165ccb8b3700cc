//! The stop switch against the log: between its being thrown and the next going on nothing starts.

use super::Findings;
use crate::evidence::Evidence;

pub fn check(evidence: &Evidence, findings: &mut Findings) {
    let mut stopped = false;
    for record in &evidence.desk.audit {
        match record.kind.as_str() {
            "switch.stopped" => stopped = true,
            "switch.started" => stopped = false,
            "execution.started" if stopped => {
                findings.add(format!("{} started while everything was stopped", record.subject));
            }
            _ => {}
        }
    }
}
