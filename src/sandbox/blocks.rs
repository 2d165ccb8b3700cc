//! Block Kit as Slack takes it: what is over a limit is refused as a whole, with a pointer.
//!
//! The limits are those of Slack's reference. Only the kinds of block that an approval desk sends
//! are known here; any other kind is refused, so that nothing passes unchecked.

use std::collections::BTreeSet;

use serde_json::Value;

/// Blocks in a message, and in a dialog or Home tab.
pub(super) const IN_MESSAGE: usize = 50;
pub(super) const IN_VIEW: usize = 100;

/// Everything that Slack would refuse, as `pointer: complaint`.
pub(super) fn complaints(blocks: &Value, most: usize) -> Vec<String> {
    let mut check = Check::default();
    match blocks.as_array() {
        None => check.wrong("/blocks", "must be an array"),
        Some(blocks) => {
            if blocks.len() > most {
                check.wrong("/blocks", &format!("no more than {most} items allowed"));
            }
            for (nth, block) in blocks.iter().enumerate() {
                check.block(block, &format!("/blocks/{nth}"));
            }
        }
    }
    check.found
}

/// A dialog: its blocks, titles and sizes.
pub(super) fn view_complaints(view: &Value) -> Vec<String> {
    let mut found = complaints(&view["blocks"], IN_VIEW);
    let mut check = Check::default();
    if view["type"] == "modal" {
        check.plain(&view["title"], "/title", 24);
        for (key, most) in [("submit", 24), ("close", 24)] {
            if !view[key].is_null() {
                check.plain(&view[key], &format!("/{key}"), most);
            }
        }
        let inputs = view["blocks"].as_array().into_iter().flatten();
        let has_input = inputs.into_iter().any(|block| block["type"] == "input");
        if has_input && view["submit"].is_null() {
            check.wrong("/submit", "required with input blocks");
        }
    } else if view["type"] != "home" {
        check.wrong("/type", "must be modal or home");
    }
    check.limit(&view["private_metadata"], "/private_metadata", 0, 3000);
    check.limit(&view["callback_id"], "/callback_id", 0, 255);
    if view.to_string().len() > 250_000 {
        check.wrong("/", "view_too_large");
    }
    found.extend(check.found);
    found
}

#[derive(Default)]
struct Check {
    found: Vec<String>,
    block_ids: BTreeSet<String>,
}

impl Check {
    fn wrong(&mut self, at: &str, what: &str) {
        self.found.push(format!("[ERROR] {what} [json-pointer:{at}]"));
    }

    /// A text of `least` to `most` characters; absent is fine.
    fn limit(&mut self, value: &Value, at: &str, least: usize, most: usize) {
        match value {
            Value::Null => {}
            Value::String(text) if text.chars().count() > most => {
                self.wrong(at, &format!("must be less than {} characters", most + 1));
            }
            Value::String(text) if text.chars().count() < least => {
                self.wrong(
                    at,
                    &format!("must be more than {} characters", least.saturating_sub(1)),
                );
            }
            Value::String(_) => {}
            _ => self.wrong(at, "must be a string"),
        }
    }

    fn items<'v>(&mut self, value: &'v Value, at: &str, least: usize, most: usize) -> &'v [Value] {
        let Some(items) = value.as_array() else {
            self.wrong(at, "must be an array");
            return &[];
        };
        if items.len() < least || items.len() > most {
            self.wrong(at, &format!("must have {least} to {most} items"));
        }
        items
    }

    fn keys(&mut self, value: &Value, at: &str, known: &[&str]) {
        for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
            if !known.contains(&key.as_str()) {
                self.wrong(at, &format!("invalid additional property: {key}"));
            }
        }
    }

    fn text(&mut self, value: &Value, at: &str, most: usize) {
        if value["type"] == "plain_text" {
            return self.plain(value, at, most);
        }
        if value["type"] != "mrkdwn" {
            return self.wrong(at, "must be a text object");
        }
        self.keys(value, at, &["type", "text", "verbatim"]);
        self.needed(&value["text"], &format!("{at}/text"), most);
    }

    fn plain(&mut self, value: &Value, at: &str, most: usize) {
        if value["type"] != "plain_text" {
            return self.wrong(at, "must be a plain_text object");
        }
        self.keys(value, at, &["type", "text", "emoji"]);
        self.needed(&value["text"], &format!("{at}/text"), most);
    }

    fn needed(&mut self, value: &Value, at: &str, most: usize) {
        if value.is_null() {
            self.wrong(at, "missing required field");
        }
        self.limit(value, at, 1, most);
    }

    fn block(&mut self, block: &Value, at: &str) {
        self.limit(&block["block_id"], &format!("{at}/block_id"), 1, 255);
        if let Some(id) = block["block_id"].as_str()
            && !self.block_ids.insert(id.to_owned())
        {
            self.wrong(&format!("{at}/block_id"), "block_id must be unique");
        }
        match block["type"].as_str() {
            Some("section") => self.section(block, at),
            Some("header") => {
                self.keys(block, at, &["type", "block_id", "text", "level"]);
                self.plain(&block["text"], &format!("{at}/text"), 150);
            }
            Some("divider") => self.keys(block, at, &["type", "block_id"]),
            Some("context") => {
                self.keys(block, at, &["type", "block_id", "elements"]);
                let elements = format!("{at}/elements");
                for (nth, part) in
                    self.items(&block["elements"], &elements, 1, 10).iter().enumerate()
                {
                    self.text(part, &format!("{elements}/{nth}"), 3000);
                }
            }
            Some("actions") => {
                self.keys(block, at, &["type", "block_id", "elements"]);
                let elements = format!("{at}/elements");
                let mut ids = BTreeSet::new();
                for (nth, part) in
                    self.items(&block["elements"], &elements, 1, 25).iter().enumerate()
                {
                    let here = format!("{elements}/{nth}");
                    self.button(part, &here);
                    if let Some(id) = part["action_id"].as_str()
                        && !ids.insert(id)
                    {
                        self.wrong(&here, "action_id must be unique");
                    }
                }
            }
            Some("input") => self.input(block, at),
            Some("markdown") => {
                self.keys(block, at, &["type", "block_id", "text"]);
                self.needed(&block["text"], &format!("{at}/text"), 12_000);
            }
            Some("rich_text") => {
                self.keys(block, at, &["type", "block_id", "elements"]);
                let elements = format!("{at}/elements");
                for (nth, part) in
                    self.items(&block["elements"], &elements, 1, 1000).iter().enumerate()
                {
                    self.rich(part, &format!("{elements}/{nth}"));
                }
            }
            Some(other) => self.wrong(at, &format!("unsupported type: {other}")),
            None => self.wrong(at, "missing required field: type"),
        }
    }

    fn section(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "text", "fields", "accessory", "expand"]);
        if block["text"].is_null() && block["fields"].is_null() {
            return self.wrong(at, "missing required field: text");
        }
        if !block["text"].is_null() {
            self.text(&block["text"], &format!("{at}/text"), 3000);
        }
        if !block["fields"].is_null() {
            let fields = format!("{at}/fields");
            for (nth, field) in self.items(&block["fields"], &fields, 1, 10).iter().enumerate() {
                self.text(field, &format!("{fields}/{nth}"), 2000);
            }
        }
        if !block["accessory"].is_null() {
            self.button(&block["accessory"], &format!("{at}/accessory"));
        }
    }

    fn button(&mut self, button: &Value, at: &str) {
        if button["type"] != "button" {
            return self.wrong(at, "unsupported element");
        }
        let known = [
            "type",
            "text",
            "action_id",
            "value",
            "url",
            "style",
            "confirm",
            "accessibility_label",
        ];
        self.keys(button, at, &known);
        self.plain(&button["text"], &format!("{at}/text"), 75);
        self.limit(&button["action_id"], &format!("{at}/action_id"), 1, 255);
        self.limit(&button["value"], &format!("{at}/value"), 0, 2000);
        self.limit(&button["url"], &format!("{at}/url"), 1, 3000);
        self.limit(&button["accessibility_label"], &format!("{at}/accessibility_label"), 1, 75);
        if !button["style"].is_null() && button["style"] != "primary" && button["style"] != "danger"
        {
            self.wrong(&format!("{at}/style"), "must be primary or danger");
        }
        let confirm = &button["confirm"];
        if !confirm.is_null() {
            self.plain(&confirm["title"], &format!("{at}/confirm/title"), 100);
            self.text(&confirm["text"], &format!("{at}/confirm/text"), 300);
            self.plain(&confirm["confirm"], &format!("{at}/confirm/confirm"), 30);
            self.plain(&confirm["deny"], &format!("{at}/confirm/deny"), 30);
        }
    }

    fn input(&mut self, block: &Value, at: &str) {
        let known = ["type", "block_id", "label", "element", "hint", "optional", "dispatch_action"];
        self.keys(block, at, &known);
        self.plain(&block["label"], &format!("{at}/label"), 2000);
        if !block["hint"].is_null() {
            self.plain(&block["hint"], &format!("{at}/hint"), 2000);
        }
        let element = &block["element"];
        if element["type"] != "plain_text_input" {
            self.wrong(&format!("{at}/element"), "unsupported element");
        }
        if !element["placeholder"].is_null() {
            self.plain(&element["placeholder"], &format!("{at}/element/placeholder"), 150);
        }
        if element["max_length"].as_u64().is_some_and(|most| !(1..=3000).contains(&most)) {
            self.wrong(&format!("{at}/element/max_length"), "must be 1 to 3000");
        }
    }

    fn rich(&mut self, part: &Value, at: &str) {
        match part["type"].as_str() {
            Some("rich_text_section" | "rich_text_preformatted" | "rich_text_quote") => {
                for (nth, piece) in part["elements"].as_array().into_iter().flatten().enumerate() {
                    let here = format!("{at}/elements/{nth}");
                    match piece["type"].as_str() {
                        Some("text") => {
                            self.needed(&piece["text"], &format!("{here}/text"), 40_000)
                        }
                        Some("user" | "channel" | "date" | "link" | "emoji" | "usergroup") => {}
                        _ => self.wrong(&here, "unsupported rich text element"),
                    }
                }
            }
            Some("rich_text_list") => {
                for (nth, piece) in part["elements"].as_array().into_iter().flatten().enumerate() {
                    self.rich(piece, &format!("{at}/elements/{nth}"));
                }
            }
            _ => self.wrong(at, "unsupported rich text"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn section(length: usize) -> Value {
        json!([{ "type": "section", "text": { "type": "mrkdwn", "text": "x".repeat(length) } }])
    }

    fn button(change: impl Fn(&mut Value)) -> Value {
        let mut button = json!({
            "type": "button", "action_id": "a", "text": { "type": "plain_text", "text": "Go" },
        });
        change(&mut button);
        json!([{ "type": "actions", "elements": [button] }])
    }

    #[test]
    fn what_is_just_beyond_a_limit_is_refused_and_what_is_at_it_is_not() {
        let dividers = |count| Value::Array(vec![json!({ "type": "divider" }); count]);
        let table = [
            ("a section of 3000", section(3000), true),
            ("a section of 3001", section(3001), false),
            ("an empty section", section(0), false),
            ("fifty blocks", dividers(50), true),
            ("fifty-one blocks", dividers(51), false),
            ("a button", button(|_| {}), true),
            ("a value of 2000", button(|b| b["value"] = json!("x".repeat(2000))), true),
            ("a value of 2001", button(|b| b["value"] = json!("x".repeat(2001))), false),
            ("a style that is none", button(|b| b["style"] = json!("default")), false),
            ("a name of 76", button(|b| b["text"]["text"] = json!("x".repeat(76))), false),
            ("an unknown field", button(|b| b["colour"] = json!("red")), false),
            ("an unknown block", json!([{ "type": "marquee" }]), false),
            ("no list", json!({}), false),
            (
                "the same id twice",
                json!([{ "type": "divider", "block_id": "a" }, { "type": "divider", "block_id": "a" }]),
                false,
            ),
        ];
        for (name, blocks, taken) in table {
            assert_eq!(complaints(&blocks, IN_MESSAGE).is_empty(), taken, "{name}");
        }
    }

    #[test]
    fn a_complaint_points_at_its_place() {
        let found = complaints(&section(3001), IN_MESSAGE);
        assert_eq!(
            found,
            ["[ERROR] must be less than 3001 characters [json-pointer:/blocks/0/text/text]"]
        );
    }
}
