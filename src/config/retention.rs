//! `retention:` how long what has ended is kept whole.

use serde::Deserialize;

use crate::base::Span;
use crate::config::reading::{Length, Located, Reader};

/// Slack and callers may deliver something a second time, and what is kept tells that it is the second
/// time. Slack gives up within a day, a caller's own queue hardly later than within a week.
const SHORTEST: Span = Span::minutes(7 * 24 * 60);

/// How long after its end something is there whole. Without a length it always is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Requests with their votes, actions and results, what the log says of them, and deliveries.
    pub requests: Option<Span>,
    /// Conversations, counted from the end of their last run, and messages that were sent.
    pub runs: Option<Span>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Section {
    requests: Option<Located<Length>>,
    runs: Option<Located<Length>>,
}

impl Section {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Retention {
        let mut long_enough = |written: Option<Located<Length>>| {
            let span = written?.span();
            if span.value < SHORTEST {
                let text = format!("{} is too short to know again what comes twice", span.value);
                reader.complain(span.at, text, "write at least `7d`");
            }
            Some(span)
        };
        let requests = long_enough(self.requests);
        let runs = long_enough(self.runs);
        if let (Some(requests), Some(runs)) = (&requests, &runs)
            && runs.value > requests.value
        {
            let text = "a conversation would still say what a reduced request was about";
            let mend = format!("write at most what `requests` has, {}", requests.value);
            reader.complain(runs.at, text, mend);
        }
        let requests = requests.map(|span| span.value);
        Retention { requests, runs: runs.map(|span| span.value).or(requests) }
    }
}
