//! What a client asks to see besides the plain events: LangGraph's stream modes and event log.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

use crate::graph::stream::{Mode, Subgraphs};

/// What a client asked for. Nothing of it: the plain events of the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Modes {
    #[serde(default, rename = "stream_mode")]
    pub chunks: ModeList,
    /// Chunks of the graphs that nodes run as well.
    #[serde(default)]
    pub subgraphs: bool,
    /// The events of `astream_events(version="v2")`.
    #[serde(default)]
    pub version: Option<Version>,
}

/// The version of LangGraph's event log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Version {
    V2,
}

/// Stream modes, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ModeList(Vec<Mode>);

impl Modes {
    /// Only the plain events are wanted.
    pub fn is_empty(&self) -> bool {
        self.chunks.0.is_empty() && self.version.is_none()
    }

    pub fn has(&self, mode: Mode) -> bool {
        self.chunks.0.contains(&mode)
    }

    pub fn chunks(&self) -> impl Iterator<Item = Mode> {
        self.chunks.0.iter().copied()
    }

    pub fn subgraphs(&self) -> Subgraphs {
        if self.subgraphs { Subgraphs::Shown } else { Subgraphs::Hidden }
    }
}

/// One name or a list of names, as LangGraph takes them.
impl<'de> Deserialize<'de> for ModeList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            One(String),
            Many(Vec<String>),
        }
        let names = match Written::deserialize(deserializer) {
            Ok(Written::One(name)) => vec![name],
            Ok(Written::Many(names)) => names,
            Err(_) => return Err(D::Error::custom("stream_mode is a name or a list of names")),
        };
        let mut modes = Vec::new();
        // `events` is what comes without any mode.
        for name in names.iter().filter(|name| *name != "events") {
            let mode: Mode = name.parse().map_err(D::Error::custom)?;
            if !modes.contains(&mode) {
                modes.push(mode);
            }
        }
        Ok(Self(modes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_name_or_several() {
        let read = |text: &str| serde_json::from_str::<Modes>(text);
        let chunks = |text: &str| read(text).unwrap().chunks.0;
        assert_eq!(chunks(r#"{"stream_mode": "updates"}"#), [Mode::Updates]);
        let both = r#"{"stream_mode": ["values", "messages", "values"], "subgraphs": true}"#;
        assert_eq!(chunks(both), [Mode::Values, Mode::Messages]);
        assert!(read(r#"{"stream_mode": "events"}"#).unwrap().is_empty());
        assert!(!read(r#"{"version": "v2"}"#).unwrap().is_empty());
        for wrong in [r#""everything""#, "7", r#"{"values": true}"#] {
            assert!(read(&format!("{{\"stream_mode\": {wrong}}}")).is_err(), "{wrong}");
        }
        assert!(read(r#"{"version": "v1"}"#).is_err());
    }
}
