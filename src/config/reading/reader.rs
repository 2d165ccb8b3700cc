//! Turns what was written into what is meant, and collects every complaint on the way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use url::Url;

use super::shape::Named;
use super::{Located, Position, Problem, Source};
use crate::config::Env;

/// Reads one file's sections.
pub(in crate::config) struct Reader<'a> {
    pub(in crate::config) source: &'a Source,
    pub(in crate::config) env: Env<'a>,
    folder: PathBuf,
    problems: Vec<Problem>,
}

/// Something could not be read, and a complaint already says why.
#[derive(Clone, Copy, Debug)]
pub(in crate::config) struct Complained;

impl<'a> Reader<'a> {
    pub(in crate::config) fn new(source: &'a Source, env: Env<'a>) -> Self {
        let folder = Path::new(source.name()).parent().unwrap_or(Path::new("")).to_owned();
        Self { source, env, folder, problems: Vec::new() }
    }

    pub(in crate::config) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// `text` says what is wrong, `mend` what to do about it: together one sentence.
    pub(in crate::config) fn complain(
        &mut self,
        at: Position,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) -> Complained {
        self.problems.push(self.source.problem(at, text.into(), mend.into()));
        Complained
    }

    /// Like [`Reader::complain`], with everything from there on in the line covered.
    pub(in crate::config) fn complain_of_secret(
        &mut self,
        at: Position,
        text: impl Into<String>,
        mend: impl Into<String>,
    ) -> Complained {
        self.problems.push(self.source.covered_problem(at, text.into(), mend.into()));
        Complained
    }

    /// Relative paths start at the folder of the file.
    pub(in crate::config) fn path(&self, written: &str) -> PathBuf {
        self.folder.join(written)
    }

    /// Reads the entries of a section that have a usable name.
    pub(in crate::config) fn named<S, T>(
        &mut self,
        entries: Named<S>,
        mut read: impl FnMut(&mut Self, Located<String>, S) -> Result<T, Complained>,
    ) -> BTreeMap<String, T> {
        let mut read_entries = BTreeMap::new();
        for (name, entry) in entries {
            self.check_name(&name);
            let key = name.value.clone();
            if let Ok(entry) = read(self, name, entry) {
                read_entries.insert(key, entry);
            }
        }
        read_entries
    }

    /// Names stand on cards, in logs and in addresses, so they stay plain.
    fn check_name(&mut self, name: &Located<String>) {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
            self.complain(
                name.at,
                format!("`{}` cannot be a name", name.value),
                "use up to 64 letters, digits, `.`, `_` and `-`",
            );
        }
    }

    /// Parses a text; `mend` says how it is written.
    pub(in crate::config) fn parsed<T: FromStr>(
        &mut self,
        text: &Located<String>,
        mend: &str,
    ) -> Result<T, Complained> {
        text.parse().map_err(|_| {
            self.complain(text.at, format!("`{}` cannot be read here", text.value), mend)
        })
    }

    pub(in crate::config) fn url(&mut self, text: &Located<String>) -> Result<Url, Complained> {
        self.parsed(text, "write an address like `https://example.com/`")
    }

    /// An address that a secret is sent to: https, or this machine.
    pub(in crate::config) fn safe_url(
        &mut self,
        text: &Located<String>,
    ) -> Result<Url, Complained> {
        let url = self.url(text)?;
        if url.scheme() == "https" || (url.scheme() == "http" && is_this_machine(&url)) {
            return Ok(url);
        }
        Err(self.complain(
            text.at,
            format!("`{}` would send a secret unencrypted", text.value),
            "use https, or an address on this machine",
        ))
    }
}

/// Does the address name this very machine, without asking anybody?
pub(in crate::config) fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
