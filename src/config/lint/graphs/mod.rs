//! Graphs that lead nowhere, around a gate, or to what does not exist.

mod calls;
mod kinds;
mod names;
mod texts;
mod walks;
mod ways;

use super::Findings;
use crate::config::Graph;

pub(super) fn check(findings: &mut Findings<'_>) {
    let config = findings.config;
    names::check_nesting(findings);
    for graph in config.graphs.values() {
        names::check(graph, findings);
        ways::check(graph, findings);
        let state = kinds::state(graph, config);
        texts::check(graph, &state, findings);
        calls::check(graph, findings);
    }
}

impl Graph {
    /// ` in the graph `x``, at the end of a sentence.
    fn here(&self) -> String {
        format!("in the graph `{}`", self.name.value)
    }
}
