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
    if let ConditionError::Syntax { column, words } = &error {
        let at = inside(written, *column, reader);
        return Err(reader.complain(at, format!("the condition cannot be read: {words}"), mend));
    }
    let words = error.to_string();
    let (words, mend) = words.split_once("; ").unwrap_or((&words, mend));
    Err(reader.complain(at, format!("the condition cannot be used: {words}"), mend))
}

/// A column of the condition in the file, when it stands there as it is; else where it starts.
fn inside(written: &Located<String>, of_condition: u64, reader: &Reader<'_>) -> Position {
    let Position { line, column } = written.at;
    let before = usize::try_from(column.saturating_sub(1)).unwrap_or(0);
    let rest = |text: &str| text.chars().skip(before).collect::<String>();
    match reader.source.line(line).map(rest) {
        Some(rest) if rest.starts_with(&written.value) => {
            Position { line, column: column + of_condition - 1 }
        }
        Some(_) | None => written.at,
    }
}
