//! The layout blocks.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Surface;
use super::check::Check;
use super::elements::Place;

impl Check {
    pub(super) fn blocks(&mut self, blocks: &Value, surface: Surface, at: &str) {
        let least = usize::from(surface != Surface::Message);
        for (nth, block) in self.items(blocks, at, least, surface.most_blocks()).iter().enumerate()
        {
            self.block(block, surface, &format!("{at}/{nth}"));
        }
    }

    fn block(&mut self, block: &Value, surface: Surface, at: &str) {
        self.limit(&block["block_id"], &format!("{at}/block_id"), 1, 255);
        if let Some(id) = block["block_id"].as_str()
            && !self.block_ids.insert(id.to_owned())
        {
            self.wrong(&format!("{at}/block_id"), "block_id must be unique");
        }
        let Some(kind) = block["type"].as_str() else {
            return self.wrong(at, "missing required field: type");
        };
        let in_message = surface == Surface::Message;
        match kind {
            "section" => self.section(block, at),
            "header" => self.header(block, at),
            "divider" => self.keys(block, at, &["type", "block_id"]),
            "image" => self.image_block(block, at),
            "context" => self.context(block, at),
            "actions" => self.elements(block, at, 25, Place::Actions),
            "input" => self.input(block, at),
            "rich_text" => self.rich_text(block, at),
            "markdown" if in_message => self.markdown(block, at),
            "context_actions" if in_message => self.elements(block, at, 5, Place::ContextActions),
            "task_card" if in_message => self.task_card(block, at),
            "plan" if in_message => self.plan(block, at),
            "table" if surface != Surface::Modal => self.table(block, at),
            "alert" if surface == Surface::Modal => self.alert(block, at),
            other => self.wrong(at, &format!("unsupported type: {other}")),
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
            self.element(&block["accessory"], &format!("{at}/accessory"), Place::Accessory);
        }
    }

    fn header(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "text", "level"]);
        self.plain(&block["text"], &format!("{at}/text"), 150);
    }

    fn image_block(&mut self, block: &Value, at: &str) {
        let known = ["type", "block_id", "image_url", "slack_file", "alt_text", "title"];
        self.keys(block, at, &known);
        self.maybe_plain(block, "title", at, 2000);
        self.image(block, at);
    }

    fn context(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "elements"]);
        let elements = format!("{at}/elements");
        for (nth, part) in self.items(&block["elements"], &elements, 1, 10).iter().enumerate() {
            let here = format!("{elements}/{nth}");
            if part["type"] == "image" {
                self.keys(part, &here, &["type", "image_url", "slack_file", "alt_text"]);
                self.image(part, &here);
            } else {
                self.text(part, &here, 3000);
            }
        }
    }

    /// Elements side by side, each with an id of its own.
    fn elements(&mut self, block: &Value, at: &str, most: usize, place: Place) {
        self.keys(block, at, &["type", "block_id", "elements"]);
        let elements = format!("{at}/elements");
        let mut ids = BTreeSet::new();
        for (nth, part) in self.items(&block["elements"], &elements, 1, most).iter().enumerate() {
            let here = format!("{elements}/{nth}");
            self.element(part, &here, place);
            if let Some(id) = part["action_id"].as_str()
                && !ids.insert(id)
            {
                self.wrong(&here, "action_id must be unique");
            }
        }
    }

    fn input(&mut self, block: &Value, at: &str) {
        let known = ["type", "block_id", "label", "element", "hint", "optional", "dispatch_action"];
        self.keys(block, at, &known);
        self.plain(&block["label"], &format!("{at}/label"), 2000);
        self.maybe_plain(block, "hint", at, 2000);
        self.element(&block["element"], &format!("{at}/element"), Place::Input);
    }

    fn alert(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "text", "level"]);
        self.text(&block["text"], &format!("{at}/text"), 3000);
        let levels = ["default", "info", "warning", "error", "success"];
        self.one_of(&block["level"], &format!("{at}/level"), &levels);
    }

    pub(super) fn image(&mut self, image: &Value, at: &str) {
        if image["image_url"].is_null() == image["slack_file"].is_null() {
            self.wrong(at, "must have image_url or slack_file");
        }
        self.limit(&image["image_url"], &format!("{at}/image_url"), 1, 3000);
        self.needed(&image["alt_text"], &format!("{at}/alt_text"), 2000);
    }
}
