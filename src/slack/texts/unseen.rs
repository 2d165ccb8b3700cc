//! That those who are asked do not see a request.

use super::ago;
use crate::approval::Unseen;
use crate::base::Timestamp;
use crate::slack::escape;

/// After what a list says of a request.
pub fn unseen(unseen: &Unseen, now: Timestamp) -> String {
    let asked = ago(unseen.since, now);
    let why = match &unseen.why {
        Some(why) => escape::clipped(why, 200),
        None => "it waits for its turn".to_owned(),
    };
    match unseen.given_up {
        true => format!("Its approvers, asked {asked}, cannot be shown it: {why}."),
        false => format!("Its approvers, asked {asked}, do not see it yet: {why}."),
    }
}

/// In the requester's thread, where it stands until it is not so any more.
pub fn not_shown_yet(why: &str) -> String {
    format!("They do not see it yet: {}. I keep trying.", escape::clipped(why, 200))
}
