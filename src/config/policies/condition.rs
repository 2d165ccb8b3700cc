//! CEL in the file, with the place of a mistake inside it.

use crate::approval::{Condition, ConditionError};
use crate::config::reading::{Complained, Located, Position, Reader};

/// A rule's `when`.
pub(super) fn read(
    written: &Located<String>,
    reader: &mut Reader<'_>,
) -> Result<Located<Condition>, Complained> {
    let mend = "write CEL that answers yes or no, like `args.amount <= 50`";
    match Condition::compile(written) {
        Ok(value) => Ok(Located { value, at: written.at }),
        Err(error) => Err(refuse_cel("the condition", written, &error, mend, reader)),
    }
}

/// Complains about CEL that cannot be used. `what` is what it was to be; `mend` serves where the
/// error has none of its own.
pub(in crate::config) fn refuse_cel(
    what: &str,
    written: &Located<String>,
    error: &ConditionError,
    mend: &str,
    reader: &mut Reader<'_>,
) -> Complained {
    if let ConditionError::Syntax { column, words } = error {
        let at = inside(written, *column, reader);
        return reader.complain(at, format!("{what} cannot be read: {words}"), mend);
    }
    let words = error.to_string();
    let (words, mend) = words.split_once("; ").unwrap_or((&words, mend));
    reader.complain(written.at, format!("{what} cannot be used: {words}"), mend)
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
