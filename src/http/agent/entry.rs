//! The door: a caller shows its key; whoever tries keys is made to wait.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::HeaderMap;

use super::turned::Turned;
use crate::base::{Clock, Span, Timestamp};

/// After so many wrong keys within the window, an address waits until the window is over.
const WRONG_KEYS: u32 = 10;
const WINDOW: Span = Span::seconds(60);
/// How many addresses are remembered at most.
const REMEMBERED: usize = 10_000;

pub(super) struct Entry {
    clock: Arc<dyn Clock>,
    wrong: Mutex<HashMap<Option<IpAddr>, Wrong>>,
}

/// Wrong keys from one address.
struct Wrong {
    since: Timestamp,
    keys: u32,
}

/// The key of a request: `Authorization: Bearer …`, or `X-Api-Key` as LangGraph's clients send it.
pub(super) fn key_of(headers: &HeaderMap) -> Option<&str> {
    let text = |name| headers.get(name)?.to_str().ok();
    text("authorization")
        .and_then(|value| value.strip_prefix("Bearer ").or(value.strip_prefix("bearer ")))
        .or_else(|| text("x-api-key"))
}

impl Entry {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, wrong: Mutex::default() }
    }

    /// Lets somebody in whom `look` knows. It is not even asked while the address has to wait.
    pub(super) fn check<T>(
        &self,
        address: Option<IpAddr>,
        look: impl FnOnce() -> Option<T>,
    ) -> Result<T, Turned> {
        let now = self.clock.now();
        let mut wrong = self.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(Wrong { since, keys }) = wrong.get(&address)
            && *keys >= WRONG_KEYS
        {
            let over = since.plus(WINDOW);
            if *since <= now && now < over {
                return Err(Turned::WrongKeys { wait: over.since(now) });
            }
            wrong.remove(&address);
        }
        if let Some(known) = look() {
            return Ok(known);
        }
        if wrong.len() >= REMEMBERED {
            wrong.retain(|_, wrong| now < wrong.since.plus(WINDOW));
        }
        let of_address = wrong.entry(address).or_insert(Wrong { since: now, keys: 0 });
        if now >= of_address.since.plus(WINDOW) {
            *of_address = Wrong { since: now, keys: 0 };
        }
        of_address.keys += 1;
        Err(Turned::WrongKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::TurnableClock;

    #[test]
    fn whoever_tries_keys_waits_and_nobody_else_does() {
        let clock = Arc::new(TurnableClock::standing_at(Timestamp::from_millis(0)));
        let entry = Entry::new(clock.clone());
        let (guesser, other) =
            (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        for _ in 0..WRONG_KEYS {
            assert!(matches!(entry.check(guesser, || None::<()>), Err(Turned::WrongKey)));
        }
        let right = entry.check(guesser, || Some(()));
        assert!(matches!(right, Err(Turned::WrongKeys { .. })), "not even the right one now");
        assert!(entry.check(other, || Some(())).is_ok());
        clock.turn_forward(WINDOW);
        assert!(entry.check(guesser, || Some(())).is_ok());
    }
}
