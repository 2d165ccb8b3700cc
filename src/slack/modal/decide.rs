//! The dialogs that ask for a reason before a vote.

use serde_json::{Value, json};

use super::{APPROVE, REASON_BLOCK, REASON_INPUT, REJECT};
use crate::approval::ReasonRule;
use crate::slack::card::block::{Need, plain_text, reason_input, section};
use crate::slack::card::{Arguments, CardView, Detail, setting_blocks};
use crate::slack::texts;

/// Repeats the pinned facts and asks for the reason. `token` is the approve button's. Closing it
/// changes nothing.
pub fn approve(view: &CardView<'_>, token: &str) -> Value {
    let mut blocks = repeated(view, &texts::about_to_approve(view));
    let need = reason_needed(view.request.terms.reason);
    blocks.push(reason_input(REASON_BLOCK, REASON_INPUT, texts::reason_for_approval(), need));
    json!({
        "type": "modal",
        "callback_id": APPROVE,
        "private_metadata": token,
        "title": plain_text("Approve this?"),
        "submit": plain_text("Approve"),
        "close": plain_text("Go back"),
        "blocks": blocks,
    })
}

/// Asks for the reason of a rejection. `token` is the reject button's. Closing it changes nothing.
pub fn reject(view: &CardView<'_>, token: &str) -> Value {
    let mut blocks = repeated(view, &texts::about_to_reject(view));
    blocks.push(reason_input(
        REASON_BLOCK,
        REASON_INPUT,
        texts::reason_for_rejection(),
        Need::Required,
    ));
    json!({
        "type": "modal",
        "callback_id": REJECT,
        "private_metadata": token,
        "title": plain_text("Reject this?"),
        "submit": plain_text("Reject"),
        "close": plain_text("Cancel"),
        "blocks": blocks,
    })
}

pub(super) fn reason_needed(rule: ReasonRule) -> Need {
    match rule {
        ReasonRule::Required => Need::Required,
        ReasonRule::Optional => Need::Optional,
    }
}

/// The pinned arguments and the target once more. The card holds everything; this is a reminder
/// of which request it is, so long values are shortened and say so.
fn repeated(view: &CardView<'_>, question: &str) -> Vec<Value> {
    let mut blocks = vec![section(question)];
    blocks.extend(Arguments::of(view).pinned_blocks(Detail::Abridged));
    blocks.extend(setting_blocks(view.sealed.envelope(), Detail::Abridged));
    blocks
}
