//! The dialogs. Each carries its button's token as private metadata and nothing else.

mod decide;
mod show_all;
mod told;

pub use decide::{approve, reject};
pub use show_all::{reach, show_all};
pub use told::told;

/// The `callback_id` of a dialog and the `action_id` of the button that opens it.
pub const APPROVE: &str = "approve";
pub const REJECT: &str = "reject";
pub const SHOW_ALL: &str = "show_all";
/// The `action_id` of the withdraw button; it has no dialog.
pub const WITHDRAW: &str = "withdraw";
/// The `callback_id` of what replaces a dialog in the end. It has nothing to submit.
pub const TOLD: &str = "told";

/// Where a submission keeps the reason: `state.values[REASON_BLOCK][REASON_INPUT].value`.
pub const REASON_BLOCK: &str = "reason";
pub const REASON_INPUT: &str = "text";
