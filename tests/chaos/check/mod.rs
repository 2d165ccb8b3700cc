//! The checks. Each compares what the desk says with what somebody else wrote down. Only `instants` has
//! nobody else to ask: where clocks jump, no other clock is the desk's.

mod clicks;
mod effects;
mod instants;
mod messages;
mod shown;
mod switch;

use crate::desk;
use crate::evidence::Evidence;

pub use clicks::answered;
pub use messages::heard;

/// What is wrong. Empty is what every campaign should end with.
#[derive(Debug, Default)]
pub struct Findings(Vec<String>);

impl Findings {
    pub fn add(&mut self, what: String) {
        self.0.push(what);
    }

    pub fn all(&self) -> &[String] {
        &self.0
    }
}

/// Looks at everything.
pub async fn everything(evidence: &Evidence) -> anyhow::Result<Findings> {
    let mut findings = Findings::default();
    let (holds, words) = desk::verify(&evidence.database).await?;
    if !holds {
        findings.add(format!("`countersign verify` says:\n{words}"));
    }
    effects::check(evidence, &mut findings);
    clicks::check(evidence, &mut findings);
    messages::check(evidence, &mut findings);
    instants::check(evidence, &mut findings);
    shown::check(evidence, &mut findings);
    switch::check(evidence, &mut findings);
    Ok(findings)
}
