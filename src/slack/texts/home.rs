//! The words on the Home tab.

use super::when::rounded;
use super::{ago, outcome_label, unseen};
use crate::approval::DecidedBy;
use crate::base::Timestamp;
use crate::slack::card::{Detail, name};
use crate::slack::home::HomeItem;

/// Which of the three lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeSection {
    WaitingForMe,
    Mine,
    Recent,
}

pub fn home_section(section: HomeSection) -> &'static str {
    match section {
        HomeSection::WaitingForMe => "Waiting for you",
        HomeSection::Mine => "What you asked for",
        HomeSection::Recent => "Decided lately",
    }
}

pub fn home_empty(section: HomeSection) -> &'static str {
    match section {
        HomeSection::WaitingForMe => "Nothing waits for your decision.",
        HomeSection::Mine => {
            "You have nothing in flight. Write to me to ask an agent for something."
        }
        HomeSection::Recent => "Nothing was decided lately.",
    }
}

/// One request in one line; no arguments.
pub fn home_line(item: &HomeItem<'_>, now: Timestamp) -> String {
    let request = item.request;
    let tool = short(&item.sealed.envelope().tool.name);
    let asker = short(&request.requester.name);
    let state = match &request.decision {
        None => format!("{} left to decide", rounded(request.decide_by().since(now))),
        Some(decision) => {
            let when = ago(decision.at, now);
            match &decision.by {
                DecidedBy::Person(person) => {
                    format!("{} {}, {when}", outcome_label(decision), short(&person.name))
                }
                DecidedBy::Operator(operator) => {
                    format!("{} {}, {when}", outcome_label(decision), short(operator))
                }
                DecidedBy::Restore { operator, .. } => {
                    let label = outcome_label(decision);
                    format!("{label} {}, {when}; not known whether it ran", short(operator))
                }
                DecidedBy::Time => format!("Expired {when}, because nobody decided in time"),
                DecidedBy::Request(_) => format!("Replaced by a newer request {when}"),
            }
        }
    };
    let line = format!("{tool}, asked by {asker} {}. {state}", ago(request.asked_at, now));
    match item.unseen {
        Some(why) => format!("{line}. {}", unseen(why, now)),
        None => line,
    }
}

fn short(text: &str) -> String {
    name(text, Detail::Abridged)
}

pub fn home_more(count: usize) -> String {
    format!("… and {count} more")
}
