//! What a reader should know about a text that its letters alone do not tell.

use std::collections::BTreeSet;

use sha2::{Digest as _, Sha256};
use unicode_normalization::is_nfc;
use unicode_script::UnicodeScript;

use super::letters;

/// Longer texts say how long they are.
const LONG: usize = 200;
/// A text without a space that is this long and only base64 or hex letters cannot be read.
const OPAQUE: usize = 48;

/// Remarks in our own words, never the text's: foreign scripts, hosts, opaque data, length.
pub fn notes(text: &str) -> Vec<String> {
    let mut notes = Vec::new();
    notes.extend(opaque(text));
    let length = text.chars().count();
    if length > LONG {
        notes.push(format!("{length} characters"));
    }
    notes.extend(host(text));
    notes.extend(scripts(text));
    if !is_nfc(text) {
        notes.push("letters not in composed form".to_owned());
    }
    notes
}

fn opaque(text: &str) -> Option<String> {
    let body = text.trim_end_matches('=');
    if body.len() < OPAQUE {
        return None;
    }
    if body.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Some("hex data, not readable".to_owned());
    }
    let base64 = body.bytes().all(|b| b.is_ascii_alphanumeric() || b"+/-_.".contains(&b));
    // Paths and dotted names use the same letters; encoded data mixes cases and digits.
    let mixed = [u8::is_ascii_lowercase, u8::is_ascii_uppercase, u8::is_ascii_digit]
        .iter()
        .all(|kind| body.bytes().any(|b| kind(&b)));
    (base64 && mixed).then(|| "looks encoded, not readable".to_owned())
}

/// The host a URL really goes to, in its ASCII form, so that neither look-alike letters nor a
/// user name before an `@` can stand in for it.
fn host(text: &str) -> Option<String> {
    let address = text.split_whitespace().find(|word| word.contains("://"))?;
    let url = url::Url::parse(address).ok()?;
    let host = url.host_str().filter(|host| !host.is_empty())?;
    let disguised = !url.username().is_empty() || host.contains("xn--") || !address.is_ascii();
    let look = if disguised { "look closely: the host is" } else { "host" };
    Some(format!("{look} {}", super::name(host)))
}

fn scripts(text: &str) -> Option<String> {
    let foreign: BTreeSet<&str> =
        text.chars().filter(|&c| letters::is_foreign(c)).map(|c| c.script().full_name()).collect();
    if foreign.is_empty() {
        return None;
    }
    let words = text.split(|c: char| !c.is_alphabetic());
    let mixed =
        words.map(|word| word.chars().collect::<Vec<_>>()).any(|w| letters::mixes_alphabets(&w));
    let warning = if mixed { "mixed alphabets in one word: " } else { "" };
    // Letters of one script can look alike too; equal looks with different bytes differ here.
    let bytes = hex::encode(&Sha256::digest(text)[..4]);
    let scripts = foreign.into_iter().collect::<Vec<_>>().join(", ");
    Some(format!("{warning}{scripts} letters, exact text {bytes}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_say_what_letters_do_not() {
        for (text, expected) in [
            ("an ordinary note", vec![]),
            ("https://bank.example/pay", vec!["host bank.example"]),
            (
                "POST https://bank.example@evil.example/",
                vec!["look closely: the host is evil.example"],
            ),
            (
                "https://ban\u{212A}.example",
                vec!["look closely: the host is bank.example", "letters not in composed form"],
            ),
            (&"0f".repeat(32), vec!["hex data, not readable"]),
            (&"aGVsbG8gd29ybGQ0".repeat(4), vec!["looks encoded, not readable"]),
            ("src/slack/card/a_rather_long_path_of_only_lowercase/mod.rs", vec![]),
            (&"word ".repeat(50), vec!["250 characters"]),
            ("e\u{301}", vec!["letters not in composed form"]),
        ] {
            assert_eq!(notes(text), expected, "{text}");
        }
    }

    #[test]
    fn foreign_letters_are_named_and_told_apart() {
        let notes_of = |text: &str| notes(text).join("; ");
        assert!(notes_of("Возврат").starts_with("Cyrillic letters, exact text "));
        assert!(notes_of("p\u{430}ypal").starts_with("mixed alphabets in one word: Cyrillic"));
        // Hiragana and Katakana HE are drawn alike.
        assert_ne!(notes_of("へ"), notes_of("ヘ"));
        let host = notes_of("https://\u{440}\u{430}\u{443}.example");
        assert!(host.starts_with("look closely: the host is xn--"), "{host}");
    }
}
