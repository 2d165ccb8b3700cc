//! `api:` who may call agents over HTTP, and `streams:` how what they tell is kept and sent.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::people::{Member, member};
use crate::base::Span;
use crate::config::reading::{Complained, Length, Located, Named, OneOrMany, Reader};

/// A shorter key could be guessed. 32 characters of hex are 128 bits.
const SHORTEST_KEY: usize = 32;

/// A program that may ask agents.
#[derive(Clone, Debug)]
pub struct Caller {
    pub name: Located<String>,
    /// At least one; several while one is being replaced.
    pub keys: Vec<SecretString>,
    /// The person on whose behalf it asks: the requester of everything that comes of it.
    pub acts_for: Located<Member>,
    /// Names from `agents`. It can ask no other; the first answers when it names none.
    pub agents: Vec<Located<String>>,
    /// How many streams it may have open at once.
    pub streams: NonZeroU32,
    /// How many of its runs may be unfinished.
    pub unfinished: NonZeroU32,
}

/// How the events of runs are kept and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Streams {
    /// How long the events of a run that has ended can be read again.
    pub keep: Span,
    /// How often a silent stream shows that it is alive.
    pub heartbeat: Span,
    /// How long a reader may take no more of what it is sent before it is dropped.
    pub patience: Span,
    /// Whether Slack threads see what is being done while it is done.
    pub in_slack: bool,
}

impl Default for Streams {
    fn default() -> Self {
        Self {
            keep: Span::minutes(7 * 24 * 60),
            heartbeat: Span::seconds(15),
            patience: Span::seconds(30),
            in_slack: true,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ApiSection {
    #[serde(default)]
    callers: Named<CallerSection>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CallerSection {
    /// One key, or several while one is being replaced.
    #[serde(default)]
    key: OneOrMany,
    #[serde(default)]
    key_file: OneOrMany,
    acts_for: Located<String>,
    agents: OneOrMany,
    #[serde(default = "sixteen")]
    streams: NonZeroU32,
    #[serde(default = "sixteen")]
    unfinished: NonZeroU32,
}

fn sixteen() -> NonZeroU32 {
    NonZeroU32::MIN.saturating_add(15)
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct StreamsSection {
    keep: Option<Length>,
    heartbeat: Option<Located<Length>>,
    patience: Option<Located<Length>>,
    slack: Option<bool>,
}

impl ApiSection {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> BTreeMap<String, Caller> {
        reader.named(self.callers, |reader, name, section| {
            let keys = keys(&name, section.key, section.key_file, reader);
            let acts_for = member(section.acts_for, reader);
            if section.agents.0.is_empty() {
                let text = format!("the caller `{}` may ask no agent", name.value);
                return Err(reader.complain(name.at, text, "list some under `agents`"));
            }
            Ok(Caller {
                name,
                keys: keys?,
                acts_for: acts_for?,
                agents: section.agents.0,
                streams: section.streams,
                unfinished: section.unfinished,
            })
        })
    }
}

fn keys(
    name: &Located<String>,
    values: OneOrMany,
    files: OneOrMany,
    reader: &mut Reader<'_>,
) -> Result<Vec<SecretString>, Complained> {
    if values.0.is_empty() && files.0.is_empty() {
        let mend = "add `key: ${NAME}` or `key_file: path`";
        return Err(reader.complain(name.at, "`key` is missing here", mend));
    }
    let mut keys = Vec::new();
    for value in &values.0 {
        keys.push(reader.variable("key", value).map(|key| (value.at, key)));
    }
    for file in &files.0 {
        keys.push(reader.secret_file(file).map(|key| (file.at, key)));
    }
    let long_enough = |key: Result<(_, SecretString), Complained>| {
        let (at, key) = key?;
        if key.expose_secret().chars().count() >= SHORTEST_KEY {
            return Ok(key);
        }
        let text = format!("this key has fewer than {SHORTEST_KEY} characters");
        Err(reader.complain(at, text, "make one with `openssl rand -hex 32`"))
    };
    keys.into_iter().map(long_enough).collect()
}

impl StreamsSection {
    pub(super) fn read(self, reader: &mut Reader<'_>) -> Streams {
        let default = Streams::default();
        let mut some = |written: Option<Located<Length>>, default: Span| {
            let Some(written) = written else { return default };
            let span = written.span();
            if span.value == Span::ZERO {
                reader.complain(span.at, "nothing can be done in no time", "write `15s`");
            }
            span.value
        };
        Streams {
            keep: self.keep.map_or(default.keep, |keep| keep.0),
            heartbeat: some(self.heartbeat, default.heartbeat),
            patience: some(self.patience, default.patience),
            in_slack: self.slack.unwrap_or(default.in_slack),
        }
    }
}
