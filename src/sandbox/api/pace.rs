//! Rate limits: so many calls a minute by method, and one post a second in a channel.
//!
//! Slack publishes floors and tolerates bursts. Here a minute's worth may come at once after a
//! rest, and from then on calls are taken at the floor's pace.

use super::arguments::Arguments;
use super::methods::{Method, Tier};
use crate::base::{Span, Timestamp};
use crate::sandbox::workspace::Workspace;

/// One call every `every`, and `burst` at once after a rest.
struct Rate {
    every: Span,
    burst: u32,
}

const POSTS_IN_A_CHANNEL: Rate = Rate { every: Span::seconds(1), burst: 5 };

const fn rate(tier: Tier) -> Rate {
    match tier {
        Tier::Two => Rate { every: Span::millis(3_000), burst: 20 },
        Tier::Three => Rate { every: Span::millis(1_200), burst: 50 },
        Tier::Four => Rate { every: Span::millis(600), burst: 100 },
        Tier::Special => Rate { every: Span::millis(100), burst: 600 },
    }
}

/// Counts one call, or says how long to wait for the next one.
pub(super) fn over_limit(
    workspace: &mut Workspace,
    method: &Method,
    arguments: &Arguments,
    now: Timestamp,
) -> Option<Span> {
    if method.name == "chat.postMessage" {
        let channel = arguments.text("channel").unwrap_or_default();
        let wait = take(workspace, format!("post in {channel}"), &POSTS_IN_A_CHANNEL, now);
        if wait.is_some() {
            return wait;
        }
    }
    take(workspace, method.name.to_owned(), &rate(method.tier), now)
}

fn take(workspace: &mut Workspace, key: String, rate: &Rate, now: Timestamp) -> Option<Span> {
    let most = rate.every.as_millis() * i64::from(rate.burst);
    // What lies further ahead was counted before the clock was turned back; Slack's own never is.
    let counts = |full_at: &Timestamp| full_at.since(now).as_millis() <= most;
    let full_at = workspace.full_at.get(&key).copied().filter(counts).unwrap_or(now).max(now);
    let with_this = full_at.plus(rate.every).since(now).as_millis();
    if with_this > most {
        return u32::try_from(with_this - most).ok().map(Span::millis);
    }
    workspace.full_at.insert(key, full_at.plus(rate.every));
    None
}
