//! Messages come in, once each.

use serde::{Deserialize, Serialize};

use super::{Store, StoreError};
use crate::approval::SlackUser;
use crate::base::{RunId, ThreadId, WorkspaceId};

/// A message that an agent should answer.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub workspace: WorkspaceId,
    /// Names the delivery: `event:<event_id>`.
    pub event_key: String,
    /// Names the message: one message arrives as several events when it mentions the bot.
    pub message_key: String,
    /// Of what the message says; another content under the same keys is a conflict.
    pub body_hash: String,
    pub agent: String,
    /// The definition of the graph that will run.
    pub graph_hash: String,
    pub channel: String,
    /// The `ts` of the conversation's root message.
    pub thread_ts: String,
    pub user: SlackUser,
    pub text: String,
    pub ts: String,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A run was queued; `waits_behind` is the unfinished run of the same conversation.
    New { run: RunId, waits_behind: Option<RunId> },
    /// It had been taken before.
    Again,
    /// The same keys came with another content: nothing was taken.
    Conflict,
}

/// One conversation with an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub id: ThreadId,
    pub agent: String,
    pub channel: String,
    /// The `ts` of the root message.
    pub thread_ts: String,
}

/// What a run was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInput {
    pub text: String,
    pub user: SlackUser,
    /// Of the message that asked.
    pub ts: String,
}

impl Store {
    /// Takes a message in: dedup by event and by message, thread and queued run, in one commit.
    pub async fn take_message(&self, message: NewMessage) -> Result<Taken, StoreError> {
        todo!("{message:?}")
    }

    /// The conversation that lives in this Slack thread, if an agent takes part in it.
    pub async fn thread_of(
        &self,
        workspace: &WorkspaceId,
        channel: &str,
        thread_ts: &str,
    ) -> Result<Option<Thread>, StoreError> {
        todo!("{workspace} {channel} {thread_ts}")
    }
}
