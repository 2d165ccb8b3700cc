//! The small forms values are written in: one or many, lengths of time, named entries.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::value::SeqAccessDeserializer;
use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::Located;
use crate::base::Span;

/// A text or a list of texts: `tool: a` or `tool: [a, b]`.
#[derive(Debug, Default)]
pub(in crate::config) struct OneOrMany(pub(in crate::config) Vec<Located<String>>);

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Located::<Written>::deserialize(deserializer)?;
        Ok(Self(match written.value {
            Written::One(value) => vec![Located { value, at: written.at }],
            Written::Many(values) => values,
        }))
    }
}

enum Written {
    One(String),
    Many(Vec<Located<String>>),
}

impl<'de> Deserialize<'de> for Written {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyTexts;
        impl<'de> Visitor<'de> for OneOrManyTexts {
            type Value = Written;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text or a list of texts")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Written, E> {
                Ok(Written::One(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, texts: A) -> Result<Written, A::Error> {
                Deserialize::deserialize(SeqAccessDeserializer::new(texts)).map(Written::Many)
            }
        }
        deserializer.deserialize_any(OneOrManyTexts)
    }
}

/// A length of time written with its unit. A bare number is refused: nobody could tell whether it
/// means seconds or minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Length(pub(in crate::config) Span);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

impl Located<Length> {
    pub(in crate::config) fn span(&self) -> Located<Span> {
        Located { value: self.value.0, at: self.at }
    }
}

/// Entries under names of the user's choice.
pub(in crate::config) type Named<T> = BTreeMap<Located<String>, T>;
