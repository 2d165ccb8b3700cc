//! How a rule asks: who may decide, in which order, where, and for how long.

use std::fmt;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::approval::{ReasonRule, Risk, Separation};
use crate::base::Span;
use crate::config::reading::{Complained, Length, Located, OneOrMany, Position, Reader};

/// How to ask.
#[derive(Clone, Debug)]
pub struct Ask {
    pub at: Position,
    pub reason: ReasonRule,
    /// An approved action must start within this.
    pub valid_for: Span,
    pub risk: Risk,
    pub separation: Separation,
    /// At least one stage.
    pub path: Vec<Stage>,
}

/// One level of a path.
#[derive(Clone, Debug)]
pub struct Stage {
    pub at: Position,
    /// Names of groups.
    pub approvers: Vec<Located<String>>,
    /// A channel's name in this file.
    pub place: Located<String>,
    /// How long before the next stage is asked too, or the request expires.
    pub within: Located<Span>,
    /// When to remind, from the start of the stage.
    pub remind: Vec<Located<Span>>,
    /// How many people must approve here.
    pub quorum: Located<u32>,
}

/// What happens to an action no rule matches.
#[derive(Clone, Debug)]
pub enum Otherwise {
    Deny,
    Ask(Ask),
}

/// Long enough to survive a restart, short enough that nobody has forgotten what they approved.
const DEFAULT_VALID_FOR: Span = Span::minutes(10);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct AskSection {
    #[serde(default)]
    reason: ReasonRule,
    valid_for: Option<Located<Length>>,
    #[serde(default)]
    risk: Risk,
    #[serde(default)]
    separation: Separation,
    path: Vec<Located<StageSection>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StageSection {
    approvers: OneOrMany,
    #[serde(rename = "in")]
    place: Located<String>,
    within: Option<Located<Length>>,
    #[serde(default)]
    remind: Vec<Located<Length>>,
    quorum: Option<Located<u32>>,
}

impl Located<AskSection> {
    pub(in crate::config) fn read(self, reader: &mut Reader<'_>) -> Result<Ask, Complained> {
        let Self { value: ask, at } = self;
        if ask.path.is_empty() {
            let mend = "add a stage, `- { approvers: …, in: …, within: 30m }`";
            return Err(reader.complain(at, "the path has no stage, so nobody is asked", mend));
        }
        let valid_for = ask.valid_for.map_or(DEFAULT_VALID_FOR, |valid_for| valid_for.0);
        if valid_for == Span::ZERO {
            let text = "an approval that is valid for no time can never be used";
            reader.complain(at, text, "write `valid_for: 10m`");
        }
        let stages: Vec<_> = ask.path.into_iter().map(|stage| stage.read(reader)).collect();
        let path = stages.into_iter().collect::<Result<_, _>>()?;
        let AskSection { reason, risk, separation, .. } = ask;
        Ok(Ask { at, reason, valid_for, risk, separation, path })
    }
}

impl Located<StageSection> {
    fn read(self, reader: &mut Reader<'_>) -> Result<Stage, Complained> {
        let Self { value: stage, at } = self;
        let within = match stage.within {
            Some(within) if within.0 > Span::ZERO => within.span(),
            Some(_) | None => {
                let text = "the stage has no time limit, so a request could wait for ever";
                return Err(reader.complain(at, text, "add `within: 30m`"));
            }
        };
        let quorum = stage.quorum.unwrap_or(Located { value: 1, at });
        if quorum.value == 0 {
            let text = "a quorum of 0 would approve without anybody";
            reader.complain(quorum.at, text, "write at least 1");
        }
        Ok(Stage {
            at,
            approvers: stage.approvers.0,
            place: stage.place,
            within,
            remind: stage.remind.iter().map(Located::span).collect(),
            quorum,
        })
    }
}

/// `default: deny`, or how to ask.
pub(in crate::config) enum OtherwiseSection {
    Deny,
    Ask(AskSection),
}

impl<'de> Deserialize<'de> for OtherwiseSection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DenyOrAsk;
        impl<'de> Visitor<'de> for DenyOrAsk {
            type Value = OtherwiseSection;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`deny`, or a section with a `path`,")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<OtherwiseSection, E> {
                match text {
                    "deny" => Ok(OtherwiseSection::Deny),
                    _ => Err(E::custom(
                        "this is no default; write `deny`, or a section with a `path`",
                    )),
                }
            }

            fn visit_map<A: MapAccess<'de>>(self, ask: A) -> Result<OtherwiseSection, A::Error> {
                let ask = AskSection::deserialize(MapAccessDeserializer::new(ask));
                ask.map(OtherwiseSection::Ask)
            }
        }
        deserializer.deserialize_any(DenyOrAsk)
    }
}

impl Located<OtherwiseSection> {
    pub(in crate::config) fn read(self, reader: &mut Reader<'_>) -> Result<Otherwise, Complained> {
        match self.value {
            OtherwiseSection::Deny => Ok(Otherwise::Deny),
            OtherwiseSection::Ask(value) => {
                Located { value, at: self.at }.read(reader).map(Otherwise::Ask)
            }
        }
    }
}
