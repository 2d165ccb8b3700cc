//! Why a click changed nothing, told to the person who clicked.

use crate::approval::Refusal;
use crate::base::Timestamp;

pub fn refusal(refusal: &Refusal, now: Timestamp) -> String {
    todo!("{refusal:?} {now}")
}

/// The button's token is not (or no longer) one of ours, or belongs to another message.
pub fn unknown_button() -> String {
    todo!()
}

/// Somebody tried to approve what this card does not show whole.
pub fn incomplete() -> String {
    todo!()
}
