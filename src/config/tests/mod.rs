//! Files that are read, files that are not, and what people are told.

mod accepted;
mod form;
mod sense;

use super::{Config, read};

/// The smallest file that does something. The tables change one text in it at a time.
pub(super) const MINIMAL: &str = include_str!("../../../tests/fixtures/config/minimal.yaml");
pub(super) const EXAMPLE: &str = include_str!("../../../countersign.example.yaml");

/// Every variable holds its own name, except those that stand for trouble.
pub(super) fn env(name: &str) -> Option<String> {
    match name {
        "UNSET" => None,
        "EMPTY" => Some(" ".to_owned()),
        _ => Some(format!("value-of-{name}")),
    }
}

/// The minimal file with one text changed into another.
#[track_caller]
pub(super) fn changed(from: &str, to: &str) -> String {
    assert_eq!(MINIMAL.matches(from).count(), 1, "`{from}` must stand once in the minimal file");
    MINIMAL.replacen(from, to, 1)
}

#[track_caller]
pub(super) fn accepted(text: &str) -> Config {
    read(text, "countersign.yaml", &env).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Makes each change alone to the minimal file and writes down what is said.
#[track_caller]
fn told(changes: &[(&str, &str)]) -> String {
    let say = |(from, to): &(&str, &str)| match read(&changed(from, to), "countersign.yaml", &env) {
        Ok(_) => format!("accepted: {to}"),
        Err(errors) => errors.to_string(),
    };
    changes.iter().map(say).collect::<Vec<_>>().join("\n\n")
}
