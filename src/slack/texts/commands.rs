//! What `/countersign` answers.

use super::when::rounded;
use super::{ago, unseen};
use crate::approval::{Request, Unseen};
use crate::base::{RequestId, Timestamp};
use crate::slack::escape;

/// A list longer than this says how many more there are.
const LISTED: usize = 20;

/// One line of `/countersign list`.
#[derive(Clone, Copy, Debug)]
pub struct ListedRequest<'a> {
    pub request: &'a Request,
    pub tool: &'a str,
    /// That those who are asked do not see it.
    pub unseen: Option<&'a Unseen>,
}

/// What `/countersign status` counts.
#[derive(Clone, Copy, Debug)]
pub struct StatusFacts<'a> {
    pub pending: u64,
    pub running: u64,
    /// Executions whose outcome nobody knows.
    pub unknown: u64,
    /// The stop switch: who threw it and why.
    pub stopped: Option<(&'a str, &'a str)>,
}

pub fn help() -> String {
    "I am Countersign, the approval desk. Write to me here or mention me in a channel, and an agent gets \
     to work; what needs a human's yes is shown to the people who may give it, and runs only then.\n\
     /countersign list: what is waiting\n\
     /countersign status: how the desk is doing\n\
     /countersign help: this text"
        .to_owned()
}

pub fn unknown_command(word: &str) -> String {
    format!("I do not know {}.\n{}", escape::clipped(word, 40), help())
}

pub fn status(facts: &StatusFacts<'_>) -> String {
    let mut lines = vec![match facts.stopped {
        Some((who, why)) => format!(
            "The stop switch is ON, thrown by {}: {}. Nothing starts until it is taken back.",
            escape::name(who),
            escape::clipped(why, 200)
        ),
        None => "The desk is open.".to_owned(),
    }];
    lines.push(format!(
        "Waiting for a decision: {}. Running now: {}.",
        facts.pending, facts.running
    ));
    if facts.unknown > 0 {
        lines.push(format!(
            "With an unknown outcome: {}. Somebody has to look at them; they are not tried again.",
            facts.unknown
        ));
    }
    lines.join("\n")
}

/// Newest last, as given; then what cannot be shown because the database is damaged there.
pub fn list(requests: &[ListedRequest<'_>], damaged: &[&RequestId], now: Timestamp) -> String {
    if requests.is_empty() && damaged.is_empty() {
        return "Nothing is waiting for a decision.".to_owned();
    }
    let mut lines: Vec<String> =
        requests.iter().take(LISTED).map(|listed| line(listed, now)).collect();
    if requests.len() > LISTED {
        lines.push(format!("… and {} more", requests.len() - LISTED));
    }
    lines.extend(damaged.iter().map(|id| super::damaged(id)));
    lines.join("\n")
}

fn line(listed: &ListedRequest<'_>, now: Timestamp) -> String {
    let line = format!(
        "{}, asked by {} {}, {} left ({})",
        escape::name(listed.tool),
        escape::name(&listed.request.requester.name),
        ago(listed.request.asked_at, now),
        rounded(listed.request.decide_by().since(now)),
        escape::name(listed.request.id.as_str()),
    );
    match listed.unseen {
        Some(why) => format!("{line}. {}", unseen(why, now)),
        None => line,
    }
}
