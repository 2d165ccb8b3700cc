//! One message for what many would have told.

use super::ago;
use crate::base::Timestamp;

/// What a digest tells of the requests that it stands for.
#[derive(Clone, Copy, Debug)]
pub struct DigestFacts {
    pub escalated: u64,
    pub reminded: u64,
    pub expired: u64,
    /// When the oldest was asked of those that wait.
    pub oldest: Option<Timestamp>,
}

/// To a channel in which many requests wait, or to a conversation in which many were asked.
pub fn digest(facts: &DigestFacts, now: Timestamp) -> String {
    let DigestFacts { escalated, reminded, expired, oldest } = *facts;
    let mut lines = Vec::new();
    if escalated > 0 {
        let many = number(escalated, "request was", "requests were");
        lines.push(format!(
            "{many} passed on to you here, because nobody else decided in time. The cards come one \
             after the other, those with the least time left first."
        ));
    }
    if reminded > 0 {
        let many = number(reminded, "request is", "requests are");
        lines.push(format!("{many} still waiting here for a decision."));
    }
    if let Some(oldest) = oldest {
        lines.push(format!(
            "The oldest was asked {}. /countersign list and my Home tab show what waits longest.",
            ago(oldest, now)
        ));
    }
    if expired > 0 {
        let many = number(expired, "request", "requests");
        lines.push(format!(
            "{many} asked for here expired: nobody decided in time, so nothing ran. That is not a no; \
             you can ask again. Each thread says what was in it."
        ));
    }
    lines.join("\n")
}

fn number(count: u64, one: &str, many: &str) -> String {
    let digits = count.to_string();
    let groups: Vec<&[u8]> = digits.as_bytes().rchunks(3).rev().collect();
    let count = String::from_utf8_lossy(&groups.join(&b","[..])).into_owned();
    if digits == "1" { format!("One {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_digest_says() {
        let now = Timestamp::from_millis(1_789_380_000_000);
        let oldest = Some(Timestamp::from_millis(now.as_millis() - 31 * 60_000));
        let storm = DigestFacts { escalated: 9_995, reminded: 12, expired: 0, oldest };
        insta::assert_snapshot!(digest(&storm, now), @r"
        9,995 requests were passed on to you here, because nobody else decided in time. The cards come one after the other, those with the least time left first.
        12 requests are still waiting here for a decision.
        The oldest was asked 31 min ago. /countersign list and my Home tab show what waits longest.
        ");
        let one = DigestFacts { escalated: 1, reminded: 1, expired: 0, oldest };
        insta::assert_snapshot!(digest(&one, now), @r"
        One request was passed on to you here, because nobody else decided in time. The cards come one after the other, those with the least time left first.
        One request is still waiting here for a decision.
        The oldest was asked 31 min ago. /countersign list and my Home tab show what waits longest.
        ");
        let expired = DigestFacts { escalated: 0, reminded: 0, expired: 195, oldest: None };
        insta::assert_snapshot!(digest(&expired, now), @"195 requests asked for here expired: nobody decided in time, so nothing ran. That is not a no; you can ask again. Each thread says what was in it.");
    }
}
