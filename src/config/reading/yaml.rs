//! From the text to the written form, with the parser's complaints in our own words.

use serde::de::DeserializeOwned;
use serde_saphyr::Error;

use super::{Position, Problem, Source, spelling};

/// Parses a whole file. The first thing that does not fit ends it: what follows an unknown key or
/// a broken line cannot be judged fairly.
pub(in crate::config) fn parse<T: DeserializeOwned>(source: &Source) -> Result<T, Problem> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(source.text(), options)
        .map_err(|error| translated(source, &error))
}

fn translated(source: &Source, error: &Error) -> Problem {
    let (text, mend) = words(error);
    let Some(location) = error.location().filter(|location| location.line() > 0) else {
        return source.whole(text, mend);
    };
    let at = Position { line: location.line(), column: location.column() };
    if source.line(at.line).is_some_and(has_bare_reference_in_brackets) {
        let text = "`${…}` stands unquoted between brackets".to_owned();
        return source.problem(at, text, "write \"${…}\" there, with quotes".to_owned());
    }
    source.problem(at, text, mend)
}

/// YAML ends a bare text at `{`, so `{ api_key: ${KEY} }` breaks somewhere behind it.
fn has_bare_reference_in_brackets(line: &str) -> bool {
    let Some((before, _)) = line.split_once("${") else {
        return false;
    };
    before.contains(['{', '[']) && !before.ends_with(['"', '\''])
}

/// What is wrong and what to do. Never the value itself: it could be a secret in a wrong place.
fn words(error: &Error) -> (String, String) {
    match error {
        Error::SerdeUnknownField { field, expected, .. } => {
            (format!("unknown key `{field}`"), meant(field, expected, "the keys here are"))
        }
        Error::SerdeUnknownVariant { variant, expected, .. } => {
            (format!("`{variant}` is not known here"), meant(variant, expected, "write one of"))
        }
        Error::SerdeMissingField { field, .. } => {
            (format!("`{field}` is missing here"), format!("add `{field}: …`"))
        }
        Error::DuplicateMappingKey { key, .. } => {
            let key = key.as_deref().unwrap_or("this key");
            (format!("`{key}` stands here for the second time"), "keep one of them".to_owned())
        }
        Error::InvalidBooleanStrict { .. } => {
            ("this is neither true nor false".to_owned(), "write `true` or `false`".to_owned())
        }
        Error::MultipleDocuments { .. } => {
            ("a second document starts here".to_owned(), "remove the `---`".to_owned())
        }
        Error::Eof { .. } => {
            ("the file is empty".to_owned(), "start from `countersign.example.yaml`".to_owned())
        }
        Error::Unexpected { expected, .. } => {
            let (what, how) = shape(expected);
            (format!("{what} belongs here"), how.to_owned())
        }
        Error::InvalidScalar { .. } => {
            ("a number belongs here".to_owned(), "write digits without a unit".to_owned())
        }
        Error::NullIntoString { .. } => (
            "nothing stands here".to_owned(),
            "write a value; one that starts with `#` needs quotes".to_owned(),
        ),
        Error::SerdeInvalidValue { expected, .. } if expected.starts_with("a nonzero") => {
            ("a number above zero belongs here".to_owned(), "write at least 1".to_owned())
        }
        Error::SerdeInvalidType { expected, .. } | Error::SerdeInvalidValue { expected, .. } => (
            format!("{expected} belongs here"),
            "see `countersign.example.yaml` for the form".to_owned(),
        ),
        Error::Message { msg, .. } => match msg.split_once("; ") {
            Some((text, mend)) => (text.to_owned(), mend.to_owned()),
            None => (msg.clone(), "see `countersign.example.yaml` for the form".to_owned()),
        },
        Error::AliasError { error, .. } => words(error),
        Error::UnknownAnchor { .. } => (
            "`*` starts a reference to an anchor that does not exist".to_owned(),
            "put the text in quotes, or define the anchor".to_owned(),
        ),
        other => {
            let message = other.to_string();
            let text = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
            (text.to_owned(), "check the indentation, quotes and brackets around here".to_owned())
        }
    }
}

/// The parser's names for shapes, in words.
fn shape(expected: &str) -> (&'static str, &'static str) {
    match expected {
        "sequence start" => ("a list", "write `[one, two]`, or lines that start with `- `"),
        "mapping start" => ("a section with keys", "write `key: value` lines below it, indented"),
        _ => ("a single text", "write the value itself, without brackets or lines below it"),
    }
}

/// The expected word that was probably meant, or all of them.
fn meant(written: &str, expected: &[&str], list: &str) -> String {
    match spelling::meant(written, expected.iter().copied()) {
        Some(word) => format!("did you mean `{word}`?"),
        None => format!("{list} {}", quoted(expected)),
    }
}

fn quoted(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}
