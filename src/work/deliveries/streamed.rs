//! An answer that has grown in the thread already is not said again; where nobody knows how much of
//! it arrived, it is written over what is there.

use serde_json::Value;

use super::{Deliveries, Sent, is_temporary, wait};
use crate::slack::card::Rendered;
use crate::slack::client::{Posted, SlackError, Update};
use crate::store::{OwedNotice, StoreError};
use crate::stream::Session;

impl Deliveries {
    /// How a reply got into the message that grew while it was written; nothing when it was not
    /// streamed, or that message is gone: then it is posted like any other. Each step may be
    /// repeated, so an unknown outcome never doubles anything.
    pub(super) async fn shown_already(
        &self,
        owed: &OwedNotice,
        rendered: &Rendered,
    ) -> Result<Option<Sent>, StoreError> {
        let (Some(run), "reply") = (&owed.run, owed.kind.as_str()) else { return Ok(None) };
        let text = owed.body.get("text").and_then(Value::as_str);
        let slack = owed.thread.as_ref().and_then(|thread| thread.slack.as_ref());
        let (Some(text), Some(slack)) = (text, slack) else { return Ok(None) };
        let show = self.desk.store.show_of(run).await?;
        let Some((ts, whole)) = show.as_ref().and_then(|show| show.shows(text)) else {
            return Ok(None);
        };
        let posted = Posted { channel: slack.channel.clone(), ts: ts.to_owned() };
        if whole {
            return Ok(Some(Sent::At(posted)));
        }
        Ok(self.write_over(posted, rendered, owed.attempts).await)
    }

    async fn write_over(&self, at: Posted, rendered: &Rendered, attempts: u64) -> Option<Sent> {
        let desk = &self.desk;
        let update = Update {
            channel: at.channel.clone(),
            ts: at.ts.clone(),
            text: rendered.text.clone(),
            blocks: rendered.blocks.clone(),
        };
        let mut written = desk.slack.update_message(&update).await;
        if written.as_ref().is_err_and(is_growing) {
            // Its end got lost as well.
            written = match desk.slack.stop_stream(&at.channel, &at.ts, &[], Session::Active).await
            {
                // Slack closes a message by itself after a while; then it can be written as well.
                Ok(()) | Err(SlackError::PlaceWrong { .. }) => {
                    desk.slack.update_message(&update).await
                }
                Err(error) => Err(error),
            };
        }
        match written {
            Ok(()) => Some(Sent::At(at)),
            Err(error) if is_temporary(&error) || is_growing(&error) => {
                Some(Sent::Later(wait(&error, desk.clock.now(), attempts), error))
            }
            Err(error) => {
                tracing::warn!(%error, "a message that grew cannot be repaired; posting the whole");
                None
            }
        }
    }
}

fn is_growing(error: &SlackError) -> bool {
    error.code() == Some("streaming_state_conflict")
}
