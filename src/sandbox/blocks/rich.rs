//! Rich text: its pieces are literal, nothing in them is markup.

use serde_json::Value;

use super::check::Check;

impl Check {
    pub(super) fn rich_text(&mut self, block: &Value, at: &str) {
        self.keys(block, at, &["type", "block_id", "elements"]);
        let elements = format!("{at}/elements");
        for (nth, part) in self.items(&block["elements"], &elements, 1, 1000).iter().enumerate() {
            self.rich(part, &format!("{elements}/{nth}"));
        }
    }

    fn rich(&mut self, part: &Value, at: &str) {
        let known = ["type", "elements", "style", "indent", "offset", "border", "language"];
        self.keys(part, at, &known);
        let pieces = part["elements"].as_array().into_iter().flatten().enumerate();
        match part["type"].as_str() {
            Some("rich_text_section" | "rich_text_preformatted" | "rich_text_quote") => {
                for (nth, piece) in pieces {
                    self.piece(piece, &format!("{at}/elements/{nth}"));
                }
            }
            Some("rich_text_list") => {
                self.one_of(&part["style"], &format!("{at}/style"), &["bullet", "ordered"]);
                for (nth, piece) in pieces {
                    self.rich(piece, &format!("{at}/elements/{nth}"));
                }
            }
            _ => self.wrong(at, "unsupported rich text"),
        }
    }

    fn piece(&mut self, piece: &Value, at: &str) {
        let needed: &[&str] = match piece["type"].as_str() {
            Some("text") => &["text"],
            Some("link") => &["url"],
            Some("user") => &["user_id"],
            Some("usergroup") => &["usergroup_id"],
            Some("channel") => &["channel_id"],
            Some("emoji") => &["name"],
            Some("broadcast") => &["range"],
            Some("date") => &["timestamp", "format"],
            _ => return self.wrong(at, "unsupported rich text element"),
        };
        for key in needed.iter().filter(|key| piece[**key].is_null()) {
            self.wrong(at, &format!("missing required field: {key}"));
        }
        if piece["type"] == "text" {
            self.limit(&piece["text"], &format!("{at}/text"), 1, 40_000);
        }
    }
}
