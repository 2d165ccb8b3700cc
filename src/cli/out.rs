//! Standard output and the last words of a command that failed.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

/// Prints a line. Fails, instead of panicking, when nobody reads any more (`… | head`).
pub(super) fn say(line: impl Display) -> io::Result<()> {
    writeln!(io::stdout(), "{line}")
}

/// What is printed of an error, once each even where a cause repeats what it caused; nothing when
/// it only means that nobody reads the output any more.
pub fn last_words(error: &anyhow::Error) -> Option<String> {
    let broken_pipe = |cause: &(dyn std::error::Error + 'static)| {
        cause.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
    };
    if error.chain().any(broken_pipe) {
        return None;
    }
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !words.contains(&cause) {
            let gap = if words.is_empty() { "" } else { ": " };
            words.push_str(gap);
            words.push_str(&cause);
        }
    }
    Some(words)
}
