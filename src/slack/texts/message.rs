//! From sentences to messages.

use serde_json::json;

use crate::slack::card::block::section;
use crate::slack::card::{Completeness, Rendered};
use crate::slack::escape;

/// What one section of plain text holds, and one message in all.
const SECTION: usize = 2900;
const MESSAGE: usize = 11_000;
const FALLBACK: usize = 300;

/// A message of plain text: no markup, no links, no emoji codes.
pub fn say(text: &str) -> Rendered {
    let blocks = parts(text).iter().map(|part| section(part)).collect();
    Rendered::new(fallback(text), blocks, Completeness::Whole)
}

/// A text in pieces that each fit into one section, cut at a line's end where there is one; what
/// no message can hold is left out, and it says so.
pub fn parts(text: &str) -> Vec<String> {
    let (text, left_out) = cut(text, MESSAGE);
    let mut parts = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, _) = cut(rest, SECTION);
        let line =
            if piece.len() < rest.len() { piece.rfind('\n').filter(|&at| at > 0) } else { None };
        let (piece, after) = rest.split_at(line.unwrap_or(piece.len()));
        if !piece.trim().is_empty() {
            parts.push(piece.to_owned());
        }
        rest = after;
    }
    if left_out > 0 {
        parts.push(left_out_note(left_out));
    }
    if parts.is_empty() {
        parts.push("(nothing to say)".to_owned());
    }
    parts
}

/// An agent's own words: Markdown, in which Slack's tokens are literal, links show where they
/// lead, and images stay addresses.
pub fn agent_reply(text: &str) -> Rendered {
    let mut markdown = String::new();
    let mut length = 0;
    let mut left_out = 0;
    for c in open(text).chars() {
        let piece = escaped(c);
        length += escape::length(&piece);
        if length > MESSAGE {
            left_out += 1;
        } else {
            markdown.push_str(&piece);
        }
    }
    if left_out > 0 {
        markdown.push_str(&format!("\n\n{}", left_out_note(left_out)));
    }
    if markdown.trim().is_empty() {
        return say("(The agent ended without words.)");
    }
    let blocks = vec![json!({ "type": "markdown", "text": markdown })];
    Rendered::new(fallback(text), blocks, Completeness::Whole)
}

/// A piece of an agent's words on its way into a message that grows, made harmless like a whole
/// reply. A piece must not end in `]` unless it is the last.
pub fn agent_words(text: &str) -> String {
    open(text).chars().map(escaped).collect()
}

/// `[text](address)` and the two forms by reference could show one address and lead to another.
fn open(text: &str) -> String {
    text.replace("](", "] (").replace("][", "] [").replace("]:", "] :")
}

fn escaped(c: char) -> String {
    match c {
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        _ => c.to_string(),
    }
}

fn left_out_note(count: usize) -> String {
    format!("({count} more characters do not fit into one Slack message.)")
}

fn fallback(text: &str) -> String {
    let (head, left_out) = cut(text, FALLBACK);
    let head = if head.trim().is_empty() { "Countersign" } else { head };
    escape::mrkdwn(head) + if left_out > 0 { " …" } else { "" }
}

/// The head of a text that has at most `most` characters, and how many were left out.
fn cut(text: &str, most: usize) -> (&str, usize) {
    let mut length = 0;
    for (at, c) in text.char_indices() {
        length += c.len_utf16();
        if length > most {
            return (&text[..at], text[at..].chars().count());
        }
    }
    (text, 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slack::card::{as_text, limits};

    #[test]
    fn what_is_said_is_literal() {
        let said = say("a <!channel> & *bold* :tada:");
        assert_eq!(as_text(&said), "a <!channel> & *bold* :tada:");
        assert_eq!(said.text, "a &lt;!channel&gt; &amp; *bold* :tada:");
        assert_eq!(said.blocks[0]["text"]["emoji"], false);
    }

    #[test]
    fn a_reply_keeps_markdown_and_loses_tokens_masks_and_images() {
        for (reply, shown) in [
            ("**done**, 3 refunds", "**done**, 3 refunds"),
            ("<!channel> look <@U1>", "&lt;!channel&gt; look &lt;@U1&gt;"),
            (
                "[https://bank.example](https://evil.example)",
                "[https://bank.example] (https://evil.example)",
            ),
            ("![x](https://evil.example/leak)", "![x] (https://evil.example/leak)"),
            ("[bank][1]\n[1]: https://evil.example", "[bank] [1]\n[1] : https://evil.example"),
        ] {
            assert_eq!(as_text(&agent_reply(reply)), shown);
        }
    }

    #[test]
    fn any_length_fits() {
        for size in [0, 1, 299, 300, 301, 2899, 2900, 2901, 10_999, 11_000, 11_001, 50_000] {
            for unit in ["x", "<", "𝄞", "word\n"] {
                let text = unit.repeat(size);
                for message in [say(&text), agent_reply(&text)] {
                    let breaches = limits::message(&message.text, &message.blocks);
                    assert_eq!(breaches, Vec::<String>::new(), "{size} × {unit}");
                }
            }
        }
    }
}
