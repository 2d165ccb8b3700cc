//! What an MCP server says, as YAML to be read by an operator and pasted.
//!
//! An operator can only agree to what they can see. So every character that is not plainly visible
//! is written as an escape: control characters, direction marks, zero widths, odd spaces.

use std::fmt::Write as _;

use serde_json::Value;

use crate::agent::Offer;
use crate::slack::escape;

/// The entry of one tool under `tools`.
pub(super) fn entry(name: &str, server: &str, offer: &Offer) -> String {
    let described = &offer.described;
    format!(
        "  {name}:\n    description: {}\n    parameters: {}\n    mcp: {{ server: {server}, tool: {}, \
         pin: \"{}\" }}",
        text(&described.description),
        flow(&described.parameters),
        text(&described.tool),
        offer.pin,
    )
}

/// A name that the configuration takes, made of a server's name and its tool's.
pub(super) fn name(server: &str, tool: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let tool: String = tool.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    format!("{server}.{tool}").chars().take(64).collect()
}

/// A double-quoted text.
pub(super) fn text(text: &str) -> String {
    format!("\"{}\"", plain(text).replace('"', "\\\""))
}

/// A text without quotes in which everything can be seen.
pub(super) fn plain(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => written.push_str("\\\\"),
            '\n' => written.push_str("\\n"),
            '\t' => written.push_str("\\t"),
            ' '..='~' => written.push(c),
            c if is_visible(c) => written.push(c),
            c => {
                let code = u32::from(c);
                // Writing to a text cannot fail.
                let _ = match code {
                    0..=0xffff => write!(written, "\\u{code:04x}"),
                    _ => write!(written, "\\U{code:08x}"),
                };
            }
        }
    }
    written
}

/// A letter that cards would show as it is.
fn is_visible(c: char) -> bool {
    escape::units(c.encode_utf8(&mut [0; 4])) == [c.to_string()]
}

/// JSON in one line, which is YAML as well.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(string) => text(string),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(flow).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let field =
                |(name, value): (&String, &Value)| format!("{}: {}", text(name), flow(value));
            let fields: Vec<_> = fields.iter().map(field).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agent::Described;

    /// Whatever a server says comes back from the file as it was, and nothing of it is hidden.
    #[test]
    fn what_is_pasted_is_read_back_word_for_word() {
        for said in [
            "Adds \"two\" numbers: a + b # not a comment",
            "line one\nline two\t\u{1b}[2Jgone",
            "hidden\u{200b}\u{202e}text\u{e0041}",
            "C:\\temp {{ x }} ' - [",
            "größer, 数, no, 1.0, null",
            "",
        ] {
            let described = Described {
                tool: said.to_owned(),
                description: said.to_owned(),
                parameters: json!({
                    "type": "object", "n": 1.5, "x": null, said: [said, true, { "e": {} }],
                }),
            };
            let pin = described.pin().expect("a pin");
            let entry = entry("a.tool", "a", &Offer { described: described.clone(), pin });
            let visible =
                |c: char| c == '\n' || c == ' ' || c.is_alphanumeric() || c.is_ascii_graphic();
            assert!(entry.chars().all(visible), "{entry}");
            let read: Value = serde_saphyr::from_str(&entry).expect("it is YAML");
            let tool = &read["a.tool"];
            assert_eq!(tool["description"], said);
            assert_eq!(tool["parameters"], described.parameters);
            assert_eq!(tool["mcp"]["pin"], pin.to_string());
        }
    }

    #[test]
    fn a_tools_name_becomes_one_that_the_file_takes() {
        assert_eq!(name("files", "read file/now"), "files.read_file_now");
        assert_eq!(name("files", &"x".repeat(100)).len(), 64);
    }
}
