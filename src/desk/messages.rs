//! Somebody writes to an agent.

use sha2::{Digest, Sha256};

use super::{Desk, DeskError};
use crate::slack::inbound::{ChannelKind, Message};
use crate::store::{NewMessage, Taken};

impl Desk {
    /// A post in a place the bot can read: a direct message, or a reply in a thread that an agent
    /// takes part in. Other talk in channels is none of our business.
    pub async fn hear(&self, message: Message) -> Result<(), DeskError> {
        let thread =
            self.store.thread_of(&self.workspace, &message.channel, message.root()).await?;
        let agent = match (thread, message.kind) {
            (Some(thread), _) => thread.agent,
            (None, ChannelKind::Direct) => match &self.default_agent {
                Some(agent) => agent.clone(),
                None => return Ok(()),
            },
            (
                None,
                ChannelKind::Public
                | ChannelKind::Private
                | ChannelKind::GroupDirect
                | ChannelKind::Unsaid,
            ) => return Ok(()),
        };
        self.take(message, &agent).await
    }

    /// A mention starts a conversation wherever the bot is.
    pub async fn hear_mention(&self, message: Message) -> Result<(), DeskError> {
        let thread =
            self.store.thread_of(&self.workspace, &message.channel, message.root()).await?;
        let agent = thread
            .map(|thread| thread.agent)
            .or_else(|| self.agent_in(&message.channel))
            .or_else(|| self.default_agent.clone());
        match agent {
            Some(agent) => self.take(message, &agent).await,
            None => Ok(()),
        }
    }

    async fn take(&self, message: Message, agent: &str) -> Result<(), DeskError> {
        let Some(worker) = self.agents.get(agent) else {
            tracing::warn!(agent, "a message for an agent that is no longer configured");
            return Ok(());
        };
        let text = self.instruction(&message.text);
        let taken = self
            .store
            .take_message(NewMessage {
                workspace: self.workspace.clone(),
                event_key: message.event_key(),
                message_key: message.message_key(),
                body_hash: hex::encode(Sha256::digest(message.text.as_bytes())),
                agent: agent.to_owned(),
                graph_hash: worker.graph.definition_hash().to_owned(),
                channel: message.channel.clone(),
                thread_ts: message.root().to_owned(),
                user: message.user.clone(),
                text,
                ts: message.ts.clone(),
            })
            .await?;
        match taken {
            Taken::New { run, .. } => {
                tracing::info!(%run, agent, channel = message.channel, "took a message");
                self.wake.everybody();
            }
            Taken::Again => tracing::debug!(event = message.event_id, "heard before"),
        }
        Ok(())
    }

    /// What the person said, without the mention of the bot and with Slack's escapes undone.
    fn instruction(&self, text: &str) -> String {
        let mention = format!("<@{}>", self.identity.bot_user);
        text.replace(&mention, "")
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&amp;", "&")
            .trim()
            .to_owned()
    }
}
