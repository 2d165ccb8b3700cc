//! The whole action in a dialog, and with it the approve control when a card could not hold it.

use serde_json::{Value, json};

use super::decide::reason_needed;
use super::{REASON_BLOCK, REASON_INPUT, SHOW_ALL};
use crate::slack::card::block::{context, plain_text, reason_input};
use crate::slack::card::{CardView, Completeness, Detail, body, is_whole, limits};
use crate::slack::texts;

/// Where the action of a card that cannot hold it can be seen: in the dialog, or nowhere.
pub fn reach(view: &CardView<'_>) -> Completeness {
    // The widest form: with a reason to type and a token of any length we issue.
    let dialog = whole(view, Some("0123456789abcdef0123456789abcdef"));
    let blocks = dialog["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    if limits::view(&dialog).is_empty() && is_whole(blocks, view.sealed.envelope()) {
        Completeness::BehindShowAll
    } else {
        Completeness::TooBig
    }
}

/// The whole action. With the approve button's token, while the request is open and if all of it
/// is really here, submitting approves; else the dialog only shows.
pub fn show_all(view: &CardView<'_>, approve: Option<&str>) -> Value {
    match reach(view) {
        Completeness::TooBig => too_big(view),
        Completeness::Whole | Completeness::BehindShowAll => {
            whole(view, approve.filter(|_| view.is_open()))
        }
    }
}

fn whole(view: &CardView<'_>, approve: Option<&str>) -> Value {
    let mut blocks = body(view, view.request.stage, Detail::Whole);
    let mut dialog = json!({
        "type": "modal",
        "callback_id": SHOW_ALL,
        "title": plain_text("The whole action"),
        "close": plain_text("Go back"),
    });
    if let Some(token) = approve {
        let need = reason_needed(view.request.terms.reason);
        blocks.push(reason_input(REASON_BLOCK, REASON_INPUT, texts::reason_for_approval(), need));
        dialog["private_metadata"] = token.into();
        dialog["submit"] = plain_text("Approve");
    }
    dialog["blocks"] = blocks.into();
    dialog
}

fn too_big(view: &CardView<'_>) -> Value {
    let mut blocks = body(view, view.request.stage, Detail::Abridged);
    blocks.push(context(texts::too_big(view)));
    json!({
        "type": "modal",
        "callback_id": SHOW_ALL,
        "title": plain_text("Too big to show"),
        "close": plain_text("Go back"),
        "blocks": blocks,
    })
}
