//! What is wrong with a configuration file, where, and how to mend it.

use std::fmt;
use std::sync::Arc;

use super::Position;
use super::mask::{covered, masked};

/// The text of a configuration file and the name it is known by.
#[derive(Clone, PartialEq, Eq)]
pub struct Source {
    name: Arc<str>,
    text: Arc<str>,
}

/// One thing that is wrong, and its mend.
///
/// It shows the line it is about, with anything that could be a secret covered.
#[derive(Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    name: Arc<str>,
    at: Option<Position>,
    /// The line it is about, fit to be seen.
    line: Option<String>,
    text: String,
    mend: String,
}

/// Everything that is wrong with a configuration file, in the order of its lines.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigErrors(Vec<Problem>);

impl Source {
    pub(in crate::config) fn new(name: &str, text: &str) -> Self {
        Self { name: name.into(), text: text.into() }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub(in crate::config) fn text(&self) -> &str {
        &self.text
    }

    /// `text` says what is wrong, `mend` what to do about it: together one sentence.
    pub(in crate::config) fn problem(&self, at: Position, text: String, mend: String) -> Problem {
        let line = self.line(at.line).map(masked);
        Problem { name: self.name.clone(), at: Some(at), line, text, mend }
    }

    /// Shows nothing of the line from the place on: a secret stands there.
    pub(in crate::config) fn covered_problem(
        &self,
        at: Position,
        text: String,
        mend: String,
    ) -> Problem {
        let line = self.line(at.line).map(|line| covered(line, characters(at.column)));
        Problem { name: self.name.clone(), at: Some(at), line, text, mend }
    }

    /// A problem of the whole file.
    pub(in crate::config) fn whole(&self, text: String, mend: String) -> Problem {
        Problem { name: self.name.clone(), at: None, line: None, text, mend }
    }

    pub(in crate::config) fn line(&self, number: u64) -> Option<&str> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.text.lines().nth(index)
    }
}

impl Problem {
    /// Absent when the whole file is meant.
    pub fn at(&self) -> Option<Position> {
        self.at
    }

    /// What is wrong.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What to do about it.
    pub fn mend(&self) -> &str {
        &self.mend
    }
}

impl ConfigErrors {
    /// In the order of the file, so that people can work from top to bottom.
    pub(in crate::config) fn new(mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| problem.at);
        Self(problems)
    }

    pub fn problems(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, text, mend, .. } = self;
        let Some(at) = self.at else {
            return write!(f, "{name}: {text}; {mend}");
        };
        write!(f, "{name}:{}:{}: {text}; {mend}", at.line, at.column)?;
        let Some(line) = &self.line else {
            return Ok(());
        };
        let gutter = " ".repeat(at.line.to_string().len());
        let before = characters(at.column);
        let carets = "^".repeat(word_length(line, before));
        write!(f, "\n{gutter} |\n{} | {line}", at.line)?;
        write!(f, "\n{gutter} | {}{carets}", " ".repeat(before))
    }
}

/// How many characters stand before a column.
fn characters(column: u64) -> usize {
    usize::try_from(column).unwrap_or(1).saturating_sub(1)
}

/// The length of the word that starts after `before` characters; at least one.
fn word_length(line: &str, before: usize) -> usize {
    let rest: String = line.chars().skip(before).collect();
    for quote in ['"', '\''] {
        if let Some(quoted) = rest.strip_prefix(quote)
            && let Some((inside, _)) = quoted.split_once(quote)
        {
            return inside.chars().count() + 2;
        }
    }
    let word = rest.split([' ', ',', '}', ']']).next().unwrap_or_default();
    word.trim_end_matches(':').chars().count().max(1)
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, problem) in self.0.iter().enumerate() {
            let gap = if nth == 0 { "" } else { "\n\n" };
            write!(f, "{gap}{problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// The name alone: the text may hold what nobody should read in a log.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name).finish()
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
