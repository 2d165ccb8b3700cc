//! What those who follow a run see, in LangGraph's forms: stream modes and event log.
//!
//! A run tells [`Event`](super::Event)s. A [`Shaper`] turns them into the [`Chunk`]s of the modes
//! that a reader asked for, and [`EventsV2`] into the events of `astream_events(version="v2")`.
//! Both only look on: they are given every event of one run, in order, and hold what later ones
//! need. What they say is checked against recordings of the real thing in `tests/langgraph`.

mod events;
mod homes;
mod messages;
mod shaper;
mod shown;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use self::events::EventsV2;
pub use self::shaper::Shaper;

/// What a reader wants to see of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// The whole state after each superstep.
    Values,
    /// What each task wrote, as it finishes.
    Updates,
    /// The messages of models as they are made, piece by piece, and those that nodes return.
    Messages,
    /// Whatever nodes want to tell.
    Custom,
    /// Tasks as they begin and end.
    Tasks,
    /// Checkpoints as they are made.
    Checkpoints,
    /// Tasks and checkpoints with the number of their superstep.
    Debug,
}

impl Mode {
    pub const ALL: [Self; 7] = [
        Self::Values,
        Self::Updates,
        Self::Messages,
        Self::Custom,
        Self::Tasks,
        Self::Checkpoints,
        Self::Debug,
    ];

    /// LangGraph's word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Values => "values",
            Self::Updates => "updates",
            Self::Messages => "messages",
            Self::Custom => "custom",
            Self::Tasks => "tasks",
            Self::Checkpoints => "checkpoints",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl FromStr for Mode {
    type Err = UnknownMode;

    fn from_str(name: &str) -> Result<Self, UnknownMode> {
        let known = Self::ALL.into_iter().find(|mode| mode.name() == name);
        known.ok_or_else(|| UnknownMode { name: name.to_owned() })
    }
}

/// There is no stream mode of this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name:?} is not a stream mode")]
pub struct UnknownMode {
    pub name: String,
}

/// Whether a reader sees the graphs that nodes run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Subgraphs {
    #[default]
    Hidden,
    Shown,
}

/// One thing that a reader sees.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Chunk {
    /// Of the graph it comes from: empty for the root, else `NODE:TASK` for each graph inwards.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub namespace: Vec<String>,
    pub mode: Mode,
    pub data: Value,
    /// The task of the root graph that it belongs to: its node, and `#` with the place of a sent
    /// one. None for what belongs to the whole superstep. Between chunks without it, those of
    /// different tasks may come in any order.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The superstep of that task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<i64>,
}
