//! Lists that come in pages.

use serde_json::{Value, json};

use super::Refused;
use super::arguments::Arguments;

/// Entries on a page when the call does not say.
const USUAL: usize = 100;

/// One page of a list, and where the next one begins; no entry begins after the last page.
pub(super) struct Page {
    pub(super) entries: Vec<Value>,
    next: Option<String>,
}

impl Page {
    /// Cuts the page that a call asks for out of the whole list. Each entry has a key by which a
    /// cursor finds it again, even if others came before it meanwhile.
    pub(super) fn of(
        arguments: &Arguments,
        all: Vec<(String, Value)>,
        most: usize,
    ) -> Result<Self, Refused> {
        let limit = match arguments.text("limit").as_deref() {
            None | Some("" | "0") => USUAL,
            Some(text) => text.parse().map_err(|_| Refused::from("invalid_limit"))?,
        };
        if limit > most {
            return Err("invalid_limit".into());
        }
        let start = match arguments.text("cursor").filter(|cursor| !cursor.is_empty()) {
            None => 0,
            Some(cursor) => {
                let at = all.iter().position(|(key, _)| written(key) == cursor);
                at.ok_or_else(|| Refused::from("invalid_cursor"))?
            }
        };
        let next = all.get(start + limit).map(|(key, _)| written(key));
        let entries = all.into_iter().skip(start).take(limit).map(|(_, entry)| entry).collect();
        Ok(Self { entries, next })
    }

    pub(super) fn has_more(&self) -> bool {
        self.next.is_some()
    }

    /// The answer of a method whose list is named so.
    pub(super) fn named(self, name: &str) -> Value {
        json!({
            name: self.entries,
            "response_metadata": { "next_cursor": self.next.unwrap_or_default() },
        })
    }
}

/// Slack's cursors look like this, and nobody should look into them.
fn written(key: &str) -> String {
    format!("{}=", hex::encode(format!("next:{key}")))
}
