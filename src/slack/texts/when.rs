//! Times in sentences that cannot show a reader's own zone.

use crate::approval::PersonFacts;
use crate::base::{Span, Timestamp};
use crate::slack::escape;

/// `12 min ago`, `just now`: whole units, for a sentence that is read now.
pub fn ago(then: Timestamp, now: Timestamp) -> String {
    let span = now.since(then);
    if span < Span::minutes(1) { "just now".to_owned() } else { format!("{} ago", rounded(span)) }
}

/// A person's name in a sentence. The id stays out: nobody is pinged.
pub fn by(person: &PersonFacts) -> String {
    match person.name.as_str() {
        "" => "somebody whose name is no longer kept".to_owned(),
        name => escape::name(name),
    }
}

/// Without what is smaller than a minute.
pub(super) fn rounded(span: Span) -> String {
    let minutes = u32::try_from(span.as_millis() / 60_000).unwrap_or(u32::MAX);
    if minutes == 0 { "less than a minute".to_owned() } else { Span::minutes(minutes).to_string() }
}
