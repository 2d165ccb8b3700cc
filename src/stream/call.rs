//! The calls that show a run in Slack, and how they can go.

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// What one call adds to a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The model's own Markdown, to be made harmless.
    Text(String),
    Task(Task),
}

/// One line of the list of what is being done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Task {
    pub id: String,
    pub what: TaskKind,
    pub status: TaskStatus,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    Node(String),
    Tool(String),
    Approval(String),
}

/// In Slack's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    Pending,
    InProgress,
    Complete,
    Error,
}

/// What Slack says of the conversation as a whole, in its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Session {
    #[default]
    Active,
    Processing,
    /// A human is waited for.
    Suspended,
}

/// A call to Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShowCall {
    /// Begins a message, with no text: should it get lost, nothing of the answer is in it.
    Start {
        pieces: Vec<Piece>,
    },
    Append {
        ts: String,
        pieces: Vec<Piece>,
    },
    Stop {
        ts: String,
        pieces: Vec<Piece>,
        session: Session,
    },
    /// Takes a message away of which nobody knows what it says.
    TakeAway {
        ts: String,
    },
    Session(Session),
}

/// How a call went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Went {
    Done,
    Started {
        ts: String,
    },
    /// Certainly not done; not before then.
    Later(Timestamp),
    /// The message takes nothing more, and certainly did not take this.
    Closed,
    /// The message is too long for this; it did not take it.
    TooLong,
    Unknown,
    /// It cannot be done here, now or later.
    Never,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    Call(ShowCall),
    /// Nothing before then.
    Later(Timestamp),
    /// Nothing until the run tells more, or until then if there is an instant.
    Idle(Option<Timestamp>),
    /// Nothing any more.
    Over,
}

impl Task {
    /// The agent's own loop is not worth a line but for its thinking.
    pub(super) fn is_shown(&self) -> bool {
        !matches!(&self.what, TaskKind::Node(node) if node == "approval" || node == "tools")
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.status, TaskStatus::InProgress | TaskStatus::Pending)
    }
}
