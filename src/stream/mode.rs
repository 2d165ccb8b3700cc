//! LangGraph's stream modes, as a client asks for them.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};

/// One of LangGraph's ways to watch a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamMode {
    /// The whole state after each superstep.
    Values,
    /// What each node wrote, when it is done.
    Updates,
    /// The pieces of models' answers, with where they come from.
    Messages,
}

/// Which modes a client asked for. None: the plain events of the endpoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Modes(Vec<StreamMode>);

impl Modes {
    pub fn has(&self, mode: StreamMode) -> bool {
        self.0.contains(&mode)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// One name or a list of names, as LangGraph takes them.
impl<'de> Deserialize<'de> for Modes {
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
            let mode = serde_json::from_value(name.as_str().into()).map_err(|_| {
                D::Error::custom(format!("`{name}` is not a stream mode that is known here"))
            })?;
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
        assert_eq!(read(r#""updates""#).unwrap(), Modes(vec![StreamMode::Updates]));
        let both = Modes(vec![StreamMode::Values, StreamMode::Messages]);
        assert_eq!(read(r#"["values", "messages", "values"]"#).unwrap(), both);
        assert!(read(r#""events""#).unwrap().is_empty());
        for wrong in [r#""everything""#, "7", r#"{"values": true}"#] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
