//! The few Block Kit shapes we use. Text from outside goes only into `plain_text` and into
//! `rich_text` elements, where Slack reads no markup.

use serde_json::{Value, json};

use crate::base::Timestamp;
use crate::slack::escape;

pub fn plain_text(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// At most 150 characters.
pub fn header(text: &str) -> Value {
    json!({ "type": "header", "text": plain_text(text) })
}

/// At most 3,000 characters of plain text.
pub fn section(text: &str) -> Value {
    json!({ "type": "section", "text": plain_text(text) })
}

/// Small grey plain text.
pub fn context(text: &str) -> Value {
    json!({ "type": "context", "elements": [plain_text(text)] })
}

/// A bold line of our own.
pub fn heading(text: &str) -> Value {
    let text = json!({ "type": "text", "text": text, "style": { "bold": true } });
    json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements": [text] }] })
}

pub fn divider() -> Value {
    json!({ "type": "divider" })
}

pub fn actions(buttons: Vec<Value>) -> Value {
    json!({ "type": "actions", "elements": buttons })
}

/// A block of monospaced literal text.
pub fn preformatted(block_id: &str, text: &str) -> Value {
    json!({
        "type": "rich_text",
        "block_id": block_id,
        "elements": [{
            "type": "rich_text_preformatted",
            "elements": [{ "type": "text", "text": text }],
        }],
    })
}

/// An input for the reason, of several lines.
pub fn reason_input(block_id: &str, action_id: &str, label: &str, need: Need) -> Value {
    json!({
        "type": "input",
        "block_id": block_id,
        "label": plain_text(label),
        "optional": need == Need::Optional,
        "element": {
            "type": "plain_text_input",
            "action_id": action_id,
            "multiline": true,
            "max_length": 1000,
        },
    })
}

/// Must an input be filled in?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    Required,
    Optional,
}

/// A button whose value is an opaque token.
pub fn button(action_id: &str, label: &str, token: &str) -> Value {
    json!({
        "type": "button",
        "action_id": action_id,
        "text": plain_text(label),
        "value": token,
    })
}

/// `style` is Slack's: `primary` or `danger`.
pub fn styled(mut button: Value, style: &str) -> Value {
    button["style"] = style.into();
    button
}

/// Asks once more before the click is sent. `text` has at most 300 characters.
pub fn confirming(mut button: Value, title: &str, text: &str, yes: &str) -> Value {
    button["confirm"] = json!({
        "title": plain_text(title),
        "text": plain_text(text),
        "confirm": plain_text(yes),
        "deny": plain_text("Go back"),
    });
    button
}

/// A `rich_text` block written line by line: labels in bold, everything else literal.
#[derive(Debug, Default)]
pub struct Prose(Vec<Value>);

impl Prose {
    /// Begins a new line with a bold label.
    #[must_use]
    pub fn line(mut self, label: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(json!({ "type": "text", "text": "\n" }));
        }
        self.0.push(json!({ "type": "text", "text": label, "style": { "bold": true } }));
        self.text(" ")
    }

    #[must_use]
    pub fn text(mut self, text: &str) -> Self {
        if !text.is_empty() {
            self.0.push(json!({ "type": "text", "text": text }));
        }
        self
    }

    /// A mention, when the id has the form of one; it cannot be anything else then.
    #[must_use]
    pub fn user(mut self, id: &str) -> Self {
        let tail = id.strip_prefix(['U', 'W']).unwrap_or_default();
        if !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit()) {
            self.0.push(json!({ "type": "user", "user_id": id }));
            self
        } else {
            self.text(&escape::name(id))
        }
    }

    /// An instant in the reader's own time zone; in UTC where a client cannot.
    #[must_use]
    pub fn date(mut self, at: Timestamp) -> Self {
        self.0.push(json!({
            "type": "date",
            "timestamp": at.as_seconds(),
            "format": "{date_short_pretty} at {time}",
            "fallback": utc(at),
        }));
        self
    }

    pub fn block(self) -> Value {
        json!({
            "type": "rich_text",
            "elements": [{ "type": "rich_text_section", "elements": self.0 }],
        })
    }
}

/// `2026-09-14 10:30 UTC`.
pub fn utc(at: Timestamp) -> String {
    let text = at.to_string();
    match (text.get(..10), text.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => text,
    }
}
