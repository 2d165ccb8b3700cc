//! A rule's `when`, with the place of a mistake inside it.

use crate::approval::{Condition, ConditionError};
use crate::config::reading::{Complained, Located, Position, Reader};

pub(super) fn read(
    written: &Located<String>,
    reader: &mut Reader<'_>,
) -> Result<Located<Condition>, Complained> {
    let at = written.at;
    let error = match Condition::compile(written) {
        Ok(value) => return Ok(Located { value, at }),
        Err(error) => error,
    };
    let mend = "write CEL that answers yes or no, like `args.amount <= 50`";
    if let ConditionError::Syntax(message) = &error
        && let Some(mistake) = Mistake::find(message)
    {
        let at = mistake.at(written, reader);
        return Err(reader.complain(at, mistake.words, mend));
    }
    // Only the first line: what follows is the compiler's own drawing of what we draw ourselves.
    let words = error
        .to_string()
        .lines()
        .next()
        .unwrap_or_default()
        .to_owned();
    let (words, mend) = words.split_once("; ").unwrap_or((&words, mend));
    Err(reader.complain(at, format!("the condition cannot be used: {words}"), mend))
}

/// The first mistake the compiler reports, in a condition of one line.
#[derive(Debug, PartialEq, Eq)]
struct Mistake {
    /// In the condition, from one.
    column: u64,
    words: String,
}

impl Mistake {
    /// Takes the compiler's `ERROR: <input>:1:15: Syntax error: … expecting {…}` apart.
    fn find(message: &str) -> Option<Self> {
        let (_, rest) = message.lines().next()?.split_once("<input>:1:")?;
        let (column, words) = rest.split_once(": ")?;
        let words = words.trim_start_matches("Syntax error: ");
        let words = match words.split(" expecting ").next()? {
            words if words.contains("<EOF>") => "the condition ends too early".to_owned(),
            words => format!("the condition cannot be read from here on ({words})"),
        };
        Some(Self {
            column: column.parse().ok()?,
            words,
        })
    }

    /// In the file, when the condition stands there as it is; else where the condition starts.
    fn at(&self, written: &Located<String>, reader: &Reader<'_>) -> Position {
        let Position { line, column } = written.at;
        let before = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
        let rest = |text: &str| text.chars().skip(before).collect::<String>();
        match reader.source.line(line).map(rest) {
            Some(rest) if rest.starts_with(&written.value) => Position {
                line,
                column: column + self.column - 1,
            },
            Some(_) | None => written.at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Mistake;

    #[test]
    fn the_compilers_words_are_taken_apart() {
        let message = "ERROR: <input>:1:15: Syntax error: mismatched input '<EOF>' expecting \
                       {'['}\n| args.amount <=\n| ..............^";
        let words = "the condition ends too early".to_owned();
        assert_eq!(Mistake::find(message), Some(Mistake { column: 15, words }));
        assert_eq!(Mistake::find("ERROR: <input>:2:1: Syntax error: x"), None);
        assert_eq!(Mistake::find("something else"), None);
    }
}
