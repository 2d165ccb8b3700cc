//! Bounding texts that come from outside.

use secrecy::{ExposeSecret, SecretString};

/// The beginning of a text, with a visible mark where it was cut.
pub(super) fn capped(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(limit);
    format!("{}\n[cut off after {end} of {} bytes]", &text[..end], text.len())
}

/// Bytes from outside as text. What is not UTF-8 is shown as `U+FFFD`.
pub(super) fn from_bytes(bytes: &[u8], is_whole: Whole) -> String {
    let text = String::from_utf8_lossy(bytes);
    match is_whole {
        Whole::Yes => text.into_owned(),
        Whole::CutOff => format!("{text}\n[cut off after {} bytes]", bytes.len()),
        Whole::BrokenOff => format!("{text}\n[it broke off here]"),
    }
}

/// Whether everything that was sent is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whole {
    Yes,
    /// We stopped reading.
    CutOff,
    /// The other side stopped sending.
    BrokenOff,
}

/// Takes secrets out of a text that a tool gave back: a target may echo what it was sent.
pub(super) fn without_secrets<'a>(
    text: String,
    secrets: impl IntoIterator<Item = &'a SecretString>,
) -> String {
    secrets
        .into_iter()
        .map(ExposeSecret::expose_secret)
        .filter(|secret| !secret.is_empty())
        .fold(text, |text, secret| text.replace(secret, "[secret]"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_characters_and_says_so() {
        assert_eq!(capped("short", 5), "short");
        assert_eq!(capped("aéb", 2), "a\n[cut off after 1 of 4 bytes]");
    }

    #[test]
    fn secrets_are_taken_out_and_an_empty_one_does_no_harm() {
        let secrets = [SecretString::from("hunter2"), SecretString::from("")];
        assert_eq!(without_secrets("it was hunter2!".to_owned(), &secrets), "it was [secret]!");
    }
}
