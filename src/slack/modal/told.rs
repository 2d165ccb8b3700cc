//! What replaces a dialog after its submission.

use serde_json::{Value, json};

use super::TOLD;
use crate::slack::card::block::{plain_text, section};
use crate::slack::texts::parts;

/// Tells the truth and has nothing to submit: a late vote, a refusal, or "counted".
pub fn told(text: &str) -> Value {
    json!({
        "type": "modal",
        "callback_id": TOLD,
        "title": plain_text("Countersign"),
        "close": plain_text("Close"),
        "blocks": parts(text).iter().map(|part| section(part)).collect::<Vec<_>>(),
    })
}
