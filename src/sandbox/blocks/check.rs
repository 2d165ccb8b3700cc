//! The tools of the checks: texts, lists, known fields.

use std::collections::BTreeSet;

use serde_json::Value;

/// What was found so far, and what must be unique or is summed over the whole message.
#[derive(Default)]
pub(super) struct Check {
    pub(super) found: Vec<String>,
    pub(super) block_ids: BTreeSet<String>,
    pub(super) markdown: usize,
    pub(super) tables: usize,
}

impl Check {
    pub(super) fn wrong(&mut self, at: &str, what: &str) {
        self.found.push(format!("[ERROR] {what} [json-pointer:{at}]"));
    }

    /// A text of `least` to `most` characters; absent is fine.
    pub(super) fn limit(&mut self, value: &Value, at: &str, least: usize, most: usize) {
        let Some(text) = value.as_str() else {
            if !value.is_null() {
                self.wrong(at, "must be a string");
            }
            return;
        };
        let length = text.chars().count();
        if length > most {
            self.wrong(at, &format!("must be less than {} characters", most + 1));
        }
        if length < least {
            self.wrong(at, &format!("must be more than {} characters", least.saturating_sub(1)));
        }
    }

    pub(super) fn items<'v>(
        &mut self,
        value: &'v Value,
        at: &str,
        least: usize,
        most: usize,
    ) -> &'v [Value] {
        let Some(items) = value.as_array() else {
            self.wrong(at, "must be an array");
            return &[];
        };
        if items.len() > most {
            self.wrong(at, &format!("no more than {most} items allowed"));
        }
        if items.len() < least {
            self.wrong(at, &format!("no less than {least} items allowed"));
        }
        items
    }

    /// Fields that Slack does not know are refused.
    pub(super) fn keys(&mut self, value: &Value, at: &str, known: &[&str]) {
        for key in value.as_object().into_iter().flatten().map(|(key, _)| key) {
            if !known.contains(&key.as_str()) {
                self.wrong(at, &format!("invalid additional property: {key}"));
            }
        }
    }

    pub(super) fn text(&mut self, value: &Value, at: &str, most: usize) {
        if value["type"] == "plain_text" {
            return self.plain(value, at, most);
        }
        if value["type"] != "mrkdwn" {
            return self.wrong(at, "must be a text object");
        }
        self.keys(value, at, &["type", "text", "verbatim"]);
        self.needed(&value["text"], &format!("{at}/text"), most);
    }

    pub(super) fn plain(&mut self, value: &Value, at: &str, most: usize) {
        if value["type"] != "plain_text" {
            return self.wrong(at, "must be a plain_text object");
        }
        self.keys(value, at, &["type", "text", "emoji"]);
        self.needed(&value["text"], &format!("{at}/text"), most);
    }

    /// A plain text that may be left out.
    pub(super) fn maybe_plain(&mut self, parent: &Value, key: &str, at: &str, most: usize) {
        if !parent[key].is_null() {
            self.plain(&parent[key], &format!("{at}/{key}"), most);
        }
    }

    pub(super) fn needed(&mut self, value: &Value, at: &str, most: usize) {
        if value.is_null() {
            self.wrong(at, "missing required field");
        }
        self.limit(value, at, 1, most);
    }

    /// One of a few words; absent is fine.
    pub(super) fn one_of(&mut self, value: &Value, at: &str, words: &[&str]) {
        let known = value.as_str().is_some_and(|word| words.contains(&word));
        if !value.is_null() && !known {
            self.wrong(at, &format!("must be one of: {}", words.join(", ")));
        }
    }

    /// A whole number between two others; absent is fine.
    pub(super) fn number(&mut self, value: &Value, at: &str, least: u64, most: u64) {
        let within = value.as_u64().is_some_and(|number| (least..=most).contains(&number));
        if !value.is_null() && !within {
            self.wrong(at, &format!("must be {least} to {most}"));
        }
    }

    /// A date or time of the form given, where each `0` stands for a digit; absent is fine.
    pub(super) fn form(&mut self, value: &Value, at: &str, form: &str) {
        let fits = value.as_str().is_some_and(|text| {
            text.len() == form.len()
                && text.bytes().zip(form.bytes()).all(|(byte, wanted)| match wanted {
                    b'0' => byte.is_ascii_digit(),
                    _ => byte == wanted,
                })
        });
        if !value.is_null() && !fits {
            self.wrong(at, &format!("must have the form {form}"));
        }
    }
}
