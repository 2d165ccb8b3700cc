//! Block Kit as Slack takes it: what is over a limit is refused as a whole, with a pointer.
//!
//! The limits are those of Slack's reference. Kinds of block that no approval desk sends (cards,
//! carousels, videos, data tables) are refused, so that nothing passes unchecked.

mod agents;
mod check;
mod elements;
mod layout;
mod rich;
mod view;

use serde_json::{Value, json};

pub(super) use self::agents::{chunk_complaints, metadata_complaints};
use self::check::Check;
pub(super) use self::view::view_complaints;

/// Where blocks stand: not every kind may stand everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Surface {
    Message,
    Modal,
    Home,
}

impl Surface {
    const fn most_blocks(self) -> usize {
        match self {
            Self::Message => 50,
            Self::Modal | Self::Home => 100,
        }
    }
}

/// Everything that Slack would refuse, as `complaint [json-pointer:place]`.
pub(super) fn complaints(blocks: &Value, surface: Surface) -> Vec<String> {
    let mut check = Check::default();
    check.blocks(blocks, surface, "/blocks");
    check.found
}

/// Characters that all blocks of a message may have together. Slack does not document it; others have
/// measured it.
const IN_MESSAGE: usize = 13_200;

/// Whether blocks that are fine one by one are more than one message takes.
pub(super) fn too_long(blocks: &Value) -> bool {
    fn characters(value: &Value) -> usize {
        let fields = value.as_object().into_iter().flatten();
        let own = fields.map(|(name, value)| match value.as_str() {
            Some(text) if name == "text" => text.chars().count(),
            _ => characters(value),
        });
        own.sum::<usize>() + value.as_array().into_iter().flatten().map(characters).sum::<usize>()
    }
    characters(blocks) > IN_MESSAGE
}

/// Fills in the ids that were left out, as Slack does.
pub(super) fn fill_ids(blocks: &mut Value) {
    for (nth, block) in blocks.as_array_mut().into_iter().flatten().enumerate() {
        if block["block_id"].is_null() {
            block["block_id"] = json!(format!("b{nth}"));
        }
        let takes_actions = matches!(
            block["type"].as_str(),
            Some("actions" | "context_actions" | "section" | "input")
        );
        let Some(block) = block.as_object_mut().filter(|_| takes_actions) else { continue };
        for (key, part) in block {
            match (key.as_str(), part) {
                ("elements", Value::Array(elements)) => fill_action_ids(elements),
                ("accessory" | "element", element) => {
                    fill_action_ids(std::slice::from_mut(element));
                }
                _ => {}
            }
        }
    }
}

fn fill_action_ids(elements: &mut [Value]) {
    for (nth, element) in elements.iter_mut().enumerate() {
        if element["type"] != "image" && element["action_id"].is_null() {
            element["action_id"] = json!(format!("a{nth}"));
        }
    }
}

#[cfg(test)]
mod tests;
