//! The file of calls: one JSON object a line.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shown::Verdict;

/// A call to try.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) tool: String,
    /// Exactly as it stands in the file: that is what the strict reading is tried on.
    pub(super) arguments: String,
    pub(super) agent: Option<String>,
    pub(super) requester: Option<String>,
    pub(super) claim: Option<String>,
    pub(super) expect: Option<Verdict>,
    /// `calls.jsonl:3: `, in front of what is said about it; empty on the command line.
    pub(super) place: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    tool: String,
    #[serde(borrow)]
    arguments: &'a RawValue,
    agent: Option<String>,
    requester: Option<String>,
    claim: Option<String>,
    expect: Option<Verdict>,
}

/// Reads every line that is not empty; an error names the line.
pub(super) fn read(text: &str, name: &str) -> anyhow::Result<Vec<Call>> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(nth, line)| {
            let place = format!("{name}:{}:", nth + 1);
            let line: Line<'_> = serde_json::from_str(line).map_err(|error| {
                let (column, what) = (error.column(), without_place(&error));
                anyhow::anyhow!(
                    "{place}{column}: {what}; write {{\"tool\": \"…\", \"arguments\": {{…}}}}"
                )
            })?;
            Ok(Call {
                tool: line.tool,
                arguments: line.arguments.get().to_owned(),
                agent: line.agent,
                requester: line.requester,
                claim: line.claim,
                expect: line.expect,
                place: format!("{place} "),
            })
        })
        .collect()
}

/// What is wrong, without serde's own words for where: every call is line 1 to it.
fn without_place(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    text.strip_suffix(&place).map(str::to_owned).unwrap_or(text)
}
