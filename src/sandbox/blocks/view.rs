//! Dialogs and the Home tab: titles, sizes, what goes with inputs.

use serde_json::Value;

use super::Surface;
use super::check::Check;

const KNOWN: [&str; 11] = [
    "type",
    "blocks",
    "title",
    "submit",
    "close",
    "private_metadata",
    "callback_id",
    "external_id",
    "clear_on_close",
    "notify_on_close",
    "submit_disabled",
];

/// What Slack would refuse in a view.
pub(in crate::sandbox) fn view_complaints(view: &Value) -> Vec<String> {
    let mut check = Check::default();
    check.keys(view, "/view", &KNOWN);
    match view["type"].as_str() {
        Some("modal") => check.modal(view),
        // Slack takes a title for the Home tab and does not show it.
        Some("home") => check.blocks(&view["blocks"], Surface::Home, "/view/blocks"),
        _ => check.wrong("/view/type", "must be modal or home"),
    }
    check.limit(&view["private_metadata"], "/view/private_metadata", 0, 3000);
    check.limit(&view["callback_id"], "/view/callback_id", 0, 255);
    check.limit(&view["external_id"], "/view/external_id", 0, 255);
    check.found
}

impl Check {
    fn modal(&mut self, view: &Value) {
        self.blocks(&view["blocks"], Surface::Modal, "/view/blocks");
        self.plain(&view["title"], "/view/title", 24);
        self.maybe_plain(view, "submit", "/view", 24);
        self.maybe_plain(view, "close", "/view", 24);
        let mut blocks = view["blocks"].as_array().into_iter().flatten();
        if view["submit"].is_null() && blocks.any(|block| block["type"] == "input") {
            self.wrong("/view/submit", "required with input blocks");
        }
    }
}
