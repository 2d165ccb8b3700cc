//! What `/countersign` answers.

use crate::approval::Request;
use crate::base::Timestamp;

/// One line of `/countersign list`.
#[derive(Clone, Copy, Debug)]
pub struct ListedRequest<'a> {
    pub request: &'a Request,
    pub tool: &'a str,
}

/// What `/countersign status` counts.
#[derive(Clone, Copy, Debug)]
pub struct StatusFacts<'a> {
    pub pending: u64,
    pub running: u64,
    pub unknown: u64,
    /// The stop switch: who threw it and why.
    pub stopped: Option<(&'a str, &'a str)>,
}

pub fn help() -> String {
    todo!()
}

pub fn unknown_command(word: &str) -> String {
    todo!("{word}")
}

pub fn status(facts: &StatusFacts<'_>) -> String {
    todo!("{facts:?}")
}

pub fn list(requests: &[ListedRequest<'_>], now: Timestamp) -> String {
    todo!("{requests:?} {now}")
}
