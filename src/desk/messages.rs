//! Somebody writes to an agent.

use sha2::{Digest, Sha256};

use super::{Desk, DeskError};
use crate::base::failpoint::{self, Point};
use crate::slack::inbound::{self, ChannelKind, Message};
use crate::slack::texts;
use crate::store::{NewMessage, Taken};
use crate::work::Loop;

impl Desk {
    /// A post in a place the bot can read: a direct message, or a reply in a thread that an agent
    /// takes part in. Other talk in channels is none of our business.
    pub async fn hear(&self, message: Message) -> Result<(), DeskError> {
        let agent = match self.agent_of(&message).await? {
            Some(agent) => Some(agent),
            None => match message.kind {
                ChannelKind::Direct => self.default_agent().map(str::to_owned),
                ChannelKind::Public
                | ChannelKind::Private
                | ChannelKind::GroupDirect
                | ChannelKind::Unsaid => None,
            },
        };
        self.take(message, agent).await
    }

    /// A mention starts a conversation wherever the bot is.
    pub async fn hear_mention(&self, message: Message) -> Result<(), DeskError> {
        let agent = match self.agent_of(&message).await? {
            Some(agent) => Some(agent),
            None => self
                .agent_in(&message.channel)
                .await
                .or_else(|| self.default_agent().map(str::to_owned)),
        };
        self.take(message, agent).await
    }

    /// The agent that takes part in the message's thread already.
    async fn agent_of(&self, message: &Message) -> Result<Option<String>, DeskError> {
        let thread =
            self.store.thread_of(&self.workspace, &message.channel, message.root()).await?;
        Ok(thread.map(|thread| thread.agent))
    }

    /// The agent that the configuration puts into a channel.
    async fn agent_in(&self, channel: &str) -> Option<String> {
        for (name, worker) in &self.agents {
            for written in &worker.channels {
                if self.channels.id_of(written).await.is_ok_and(|id| id == channel) {
                    return Some(name.clone());
                }
            }
        }
        None
    }

    async fn take(&self, message: Message, agent: Option<String>) -> Result<(), DeskError> {
        let Some(agent) = agent else { return Ok(()) };
        let Some(worker) = self.agents.get(&agent) else {
            tracing::warn!(agent, "a message for an agent that is no longer configured");
            return Ok(());
        };
        let taken = self
            .store
            .take_message(NewMessage {
                workspace: self.workspace.clone(),
                event_key: message.event_key(),
                message_key: message.message_key(),
                body_hash: hex::encode(Sha256::digest(message.text.as_bytes())),
                agent: agent.clone(),
                graph_hash: worker.graph.definition_hash(),
                channel: message.channel.clone(),
                thread_ts: message.root().to_owned(),
                user: message.user.clone(),
                text: inbound::as_typed(&message.text, &self.identity.bot_user),
                ts: message.ts.clone(),
                told_to_wait: texts::queued_behind().to_owned(),
            })
            .await?;
        match taken {
            Taken::New { run } => {
                failpoint::reach(Point::MessageCommitted);
                tracing::info!(%run, agent, channel = message.channel, "took a message");
                self.wake.these(&[Loop::Runs, Loop::Deliveries]);
            }
            Taken::Again => tracing::debug!(event = message.event_id, "taken before"),
            Taken::Conflict => {
                tracing::warn!(event = message.event_id, "the same event with another content");
            }
        }
        Ok(())
    }
}
