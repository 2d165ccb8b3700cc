//! One-off messages: reminders, outcomes and results.

use crate::base::Span;
use crate::slack::card::CardView;

/// Under a stage's card; names nobody, so that nobody is pinged twice.
pub fn reminder(view: &CardView<'_>, stage: usize, left: Span) -> String {
    todo!("{view:?} {stage} {left}")
}

/// To the requester's thread: how it ended, and what the execution did if it has ended.
pub fn decided(view: &CardView<'_>) -> String {
    todo!("{view:?}")
}

/// To the requester's thread: a stage's approvers could not be shown the request.
pub fn undeliverable(view: &CardView<'_>, stage: usize) -> String {
    todo!("{view:?} {stage}")
}
