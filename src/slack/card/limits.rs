//! Slack's limits on what an app sends, and the check that everything rendered keeps them.
//!
//! The numbers are those of the Block Kit reference. How Slack counts characters is not
//! published, so the widest count is taken (UTF-16 units), and a message keeps below the
//! undocumented total of about 13,200 characters.

use serde_json::Value;

use crate::slack::escape::length;

pub const MESSAGE_BLOCKS: usize = 50;
pub const MESSAGE_TEXT: usize = 12_000;
pub const VIEW_BLOCKS: usize = 100;
/// 250 KB, with slack for how Slack may encode what we send.
pub const VIEW_BYTES: usize = 240_000;
pub const SECTION_TEXT: usize = 3000;
pub const HEADER_TEXT: usize = 150;
pub const CONFIRM_TEXT: usize = 300;
pub const TITLE_TEXT: usize = 24;
pub const FALLBACK_TEXT: usize = 4000;
/// What we put into one preformatted block at most.
pub const PREFORMATTED: usize = 2900;

/// Every limit a message breaks; empty when Slack will take it.
pub fn message<'a>(text: &str, blocks: impl IntoIterator<Item = &'a Value>) -> Vec<String> {
    let blocks: Vec<&Value> = blocks.into_iter().collect();
    let mut breaches = Vec::new();
    let shown = blocks.iter().map(|block| all_text(block)).sum();
    within(&mut breaches, "fallback text", length(text), 1, FALLBACK_TEXT);
    within(&mut breaches, "blocks", blocks.len(), 1, MESSAGE_BLOCKS);
    within(&mut breaches, "text in all blocks", shown, 1, MESSAGE_TEXT);
    each(&mut breaches, &blocks);
    breaches
}

/// Every limit a modal or Home view breaks.
pub fn view(view: &Value) -> Vec<String> {
    let mut breaches = Vec::new();
    let blocks: Vec<&Value> = list(view, "blocks").iter().collect();
    within(&mut breaches, "blocks", blocks.len(), 1, VIEW_BLOCKS);
    within(&mut breaches, "bytes", escaped_bytes(view), 1, VIEW_BYTES);
    for part in ["title", "submit", "close"] {
        if let Some(text) = view.get(part) {
            text_within(&mut breaches, part, text, TITLE_TEXT);
        }
    }
    if let Some(token) = view.get("private_metadata").and_then(Value::as_str) {
        within(&mut breaches, "private_metadata", length(token), 0, 3000);
    }
    let modal = view.get("type").is_some_and(|kind| kind == "modal");
    if modal && view.get("title").is_none() {
        breaches.push("a modal needs a title".to_owned());
    }
    let asks = blocks.iter().any(|block| kind(block) == "input");
    if modal && asks && view.get("submit").is_none() {
        breaches.push("a modal with an input needs a submit button".to_owned());
    }
    each(&mut breaches, &blocks);
    breaches
}

fn each(breaches: &mut Vec<String>, blocks: &[&Value]) {
    let mut ids: Vec<&str> = blocks.iter().filter_map(|block| block["block_id"].as_str()).collect();
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        breaches.push("a block_id stands twice".to_owned());
    }
    for block in blocks {
        if let Some(id) = block["block_id"].as_str() {
            within(breaches, "block_id", length(id), 1, 255);
        }
        match kind(block) {
            "header" => text_within(breaches, "header", &block["text"], HEADER_TEXT),
            "section" => {
                text_within(breaches, "section", &block["text"], SECTION_TEXT);
                if let Some(button) = block.get("accessory") {
                    buttons(breaches, std::slice::from_ref(button));
                }
            }
            "markdown" => within(breaches, "markdown", all_text(block), 1, 12_000),
            "context" => {
                let elements = list(block, "elements");
                within(breaches, "context elements", elements.len(), 1, 10);
                for element in elements {
                    text_within(breaches, "context", element, SECTION_TEXT);
                }
            }
            "actions" => buttons(breaches, list(block, "elements")),
            "input" => {
                text_within(breaches, "label", &block["label"], 2000);
                let most = block["element"]["max_length"].as_u64().unwrap_or(0);
                within(
                    breaches,
                    "max_length",
                    usize::try_from(most).unwrap_or(usize::MAX),
                    1,
                    3000,
                );
            }
            "rich_text" => {
                within(
                    breaches,
                    "rich_text elements",
                    list(block, "elements").len(),
                    1,
                    usize::MAX,
                );
                within(breaches, "rich_text", all_text(block), 1, SECTION_TEXT);
            }
            "divider" => {}
            other => breaches.push(format!("`{other}` is not a block we use")),
        }
    }
}

fn buttons(breaches: &mut Vec<String>, buttons: &[Value]) {
    within(breaches, "buttons", buttons.len(), 1, 25);
    for button in buttons {
        text_within(breaches, "button", &button["text"], 75);
        for (part, most) in [("action_id", 255), ("value", 2000), ("url", 3000)] {
            if let Some(text) = button[part].as_str() {
                within(breaches, part, length(text), 1, most);
            }
        }
        if let Some(confirm) = button.get("confirm") {
            text_within(breaches, "confirm title", &confirm["title"], 100);
            text_within(breaches, "confirm text", &confirm["text"], CONFIRM_TEXT);
            text_within(breaches, "confirm", &confirm["confirm"], 30);
            text_within(breaches, "deny", &confirm["deny"], 30);
        }
    }
}

fn text_within(breaches: &mut Vec<String>, what: &str, text: &Value, most: usize) {
    within(breaches, what, length(text["text"].as_str().unwrap_or_default()), 1, most);
}

fn within(breaches: &mut Vec<String>, what: &str, count: usize, least: usize, most: usize) {
    if count < least || count > most {
        breaches.push(format!("{what}: {count}, must be {least} to {most}"));
    }
}

/// All text a block shows, wherever it stands in it; user mentions and dates at their widest.
fn all_text(value: &Value) -> usize {
    match value {
        Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
            Some("user" | "date") => 40,
            _ => fields
                .iter()
                .filter(|(name, _)| {
                    !matches!(
                        name.as_str(),
                        "type" | "block_id" | "action_id" | "value" | "url" | "style"
                    )
                })
                .map(|(_, value)| all_text(value))
                .sum(),
        },
        Value::Array(items) => items.iter().map(all_text).sum(),
        Value::String(text) => length(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// The size as JSON if every character beyond ASCII is written `\uXXXX`.
fn escaped_bytes(value: &Value) -> usize {
    let json = value.to_string();
    json.chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum()
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn kind(block: &Value) -> &str {
    block["type"].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::slack::card::block;

    #[test]
    fn each_limit_holds_at_its_edge_and_breaks_beyond() {
        let x = |n: usize| "x".repeat(n);
        let token = |n| vec![block::actions(vec![block::button("a", "Go", &x(n))])];
        let confirm = |n| {
            let button = block::button("a", "Go", "t");
            vec![block::actions(vec![block::confirming(button, "Sure?", &x(n), "Go")])]
        };
        let many = |n| vec![block::divider(); n];
        let full = |n: usize| (0..n).map(|_| block::section(&x(1000))).collect::<Vec<_>>();
        for (what, fits, breaks) in [
            ("header", vec![block::header(&x(150))], vec![block::header(&x(151))]),
            (
                "empty header",
                vec![block::header("x"), block::section("x")],
                vec![block::header(""), block::section("x")],
            ),
            ("section", vec![block::section(&x(3000))], vec![block::section(&x(3001))]),
            (
                "rich_text",
                vec![block::preformatted("a", &x(3000))],
                vec![block::preformatted("a", &x(3001))],
            ),
            (
                "wide characters count twice",
                vec![block::header(&"𝄞".repeat(75))],
                vec![block::header(&"𝄞".repeat(76))],
            ),
            ("value", token(2000), token(2001)),
            ("confirm", confirm(300), confirm(301)),
            ("blocks", [many(49), full(1)].concat(), [many(50), full(1)].concat()),
            ("sum", full(12), full(13)),
            (
                "same id",
                vec![block::preformatted("a", "x"), block::preformatted("b", "x")],
                vec![block::preformatted("a", "x"); 2],
            ),
        ] {
            assert_eq!(message("t", &fits), Vec::<String>::new(), "{what}");
            assert_eq!(message("t", &breaks).len(), 1, "{what}: {:?}", message("t", &breaks));
        }
    }

    #[test]
    fn a_view_keeps_its_own_limits() {
        let modal = |title: &str, n: usize, size: usize| {
            json!({
                "type": "modal",
                "title": block::plain_text(title),
                "blocks": vec![block::section(&"é".repeat(size)); n],
            })
        };
        assert_eq!(view(&modal(&"x".repeat(24), 100, 1)), Vec::<String>::new());
        assert_eq!(view(&modal(&"x".repeat(25), 100, 1)).len(), 1);
        assert_eq!(view(&modal("x", 101, 1)).len(), 1);
        assert_eq!(view(&modal("x", 15, 2600)), Vec::<String>::new());
        assert_eq!(view(&modal("x", 16, 2600)).len(), 1, "249,600 bytes once escaped");
        let asking = json!({
            "type": "modal",
            "title": block::plain_text("x"),
            "blocks": [block::reason_input("a", "b", "Why?", block::Need::Required)],
        });
        assert_eq!(view(&asking), ["a modal with an input needs a submit button"]);
    }
}
