//! What the agent says about its own call. Never a fact: it stands last, framed and capped.

use serde_json::{Value, json};

use super::block::divider;
use super::limits;
use crate::slack::{escape, texts};

const MOST: usize = 600;
/// What a claim takes at most, with the remark on its length when it is cut.
const WIDEST: usize = MOST + 50;

/// A divider, and the claim as literal text under a label that is ours.
pub fn blocks(claim: &str) -> Vec<Value> {
    framed(escape::clipped(claim, MOST))
}

fn framed(claim: String) -> Vec<Value> {
    let label = json!({ "type": "text", "text": texts::claim_label(), "style": { "bold": true } });
    let claim = json!({ "type": "text", "text": claim });
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
    let widest = framed("x".repeat(WIDEST));
    limits::message(text, blocks.iter().chain(&widest)).is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_claim_is_wider_than_the_room_that_is_left_for_it() {
        for claim in ["ab".repeat(4_000), "\u{202E}".repeat(4_000), "\u{1d11e}\n".repeat(400_000)] {
            assert!(escape::length(&escape::clipped(&claim, MOST)) <= WIDEST);
        }
    }
}
