//! What the agent says about its own call. Never a fact: it stands last, framed and capped.

use serde_json::{Value, json};

use super::block::divider;
use super::limits;
use crate::slack::{escape, texts};

const MOST: usize = 600;

/// A divider, and the claim as literal text under a label that is ours.
pub fn blocks(claim: &str) -> Vec<Value> {
    let label = json!({ "type": "text", "text": texts::claim_label(), "style": { "bold": true } });
    let claim = json!({ "type": "text", "text": escape::clipped(claim, MOST) });
    vec![
        divider(),
        json!({
            "type": "rich_text",
            "elements": [
                { "type": "rich_text_section", "elements": [label] },
                { "type": "rich_text_quote", "elements": [claim] },
            ],
        }),
    ]
}

/// The authoritative part must leave this much room, with and without a claim, so that no claim
/// can change what else is shown.
pub fn leaves_room(text: &str, blocks: &[Value]) -> bool {
    // Two letters in turn: a run of one would be written as its length.
    let widest = self::blocks(&"ab".repeat(MOST));
    limits::message(text, &[blocks, &widest].concat()).is_empty()
}
