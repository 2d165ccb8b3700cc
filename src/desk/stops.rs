//! Somebody presses Slack's own stop button in a conversation with an agent.

use super::{Desk, DeskError};
use crate::slack::client::{Ephemeral, Place};
use crate::slack::inbound::SessionStopped;
use crate::slack::texts;
use crate::store::{Stop, Stopped};
use crate::work::Loop;

impl Desk {
    /// Ends what is being done there for this person. What is done for somebody else goes on, and
    /// they are told so.
    pub async fn stop(&self, pressed: SessionStopped) -> Result<(), DeskError> {
        let person = self.directory.person(&pressed.user).await;
        let stopped = self
            .store
            .stop_runs(Stop {
                workspace: self.workspace.clone(),
                event_key: pressed.event_key(),
                channel: pressed.channel.clone(),
                thread_ts: pressed.thread_ts.clone(),
                person,
                told: texts::stopped().to_owned(),
                told_while_running: texts::stopped_while_running().to_owned(),
            })
            .await?;
        match stopped {
            Stopped::Runs(ended) => {
                tracing::info!(ended, channel = pressed.channel, "runs were stopped");
                self.wake.these(&[Loop::Runs, Loop::Deliveries, Loop::Streams]);
            }
            Stopped::NotTheirs => self.tell_not_theirs(pressed).await,
            Stopped::Nothing => {}
        }
        Ok(())
    }

    async fn tell_not_theirs(&self, pressed: SessionStopped) {
        let rendered = texts::say(texts::not_yours_to_stop());
        let note = Ephemeral {
            place: Place { channel: pressed.channel, thread_ts: Some(pressed.thread_ts) },
            user: pressed.user.user,
            text: rendered.text,
            blocks: rendered.blocks,
        };
        if let Err(error) = self.slack.post_ephemeral(&note).await {
            tracing::warn!(%error, "could not tell somebody why their stop changed nothing");
        }
    }
}
