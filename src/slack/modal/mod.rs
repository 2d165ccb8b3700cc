//! The dialogs. Each carries its button's token as private metadata and nothing else.

use serde_json::Value;

use super::card::CardView;

/// `callback_id`s.
pub const APPROVE: &str = "approve";
pub const REJECT: &str = "reject";
pub const SHOW_ALL: &str = "show_all";
pub const TOLD: &str = "told";

/// Where a submission keeps the reason: `state.values[REASON_BLOCK][REASON_INPUT].value`.
pub const REASON_BLOCK: &str = "reason";
pub const REASON_INPUT: &str = "text";

/// Repeats the pinned facts and asks for the reason. `token` is the approve button's.
pub fn approve(view: &CardView<'_>, token: &str) -> Value {
    todo!("{view:?} {token}")
}

/// Asks for the reason of a rejection. `token` is the reject button's.
pub fn reject(view: &CardView<'_>, token: &str) -> Value {
    todo!("{view:?} {token}")
}

/// The whole action. When `approve` is the approve button's token, and all of it is really here,
/// submitting approves; without it the dialog only shows.
pub fn show_all(view: &CardView<'_>, approve: Option<&str>) -> Value {
    todo!("{view:?} {approve:?}")
}

/// Replaces a dialog after its submission: tells the truth, and has nothing to submit.
pub fn told(text: &str) -> Value {
    todo!("{text}")
}
