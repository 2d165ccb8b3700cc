//! An answer that has grown in the thread already is not said again.

use serde_json::Value;

use super::Deliveries;
use crate::store::{OwedNotice, ShownAt, StoreError};

impl Deliveries {
    /// Where a reply stands already, if all of it grew there while it was written.
    pub(super) async fn shown_already(
        &self,
        owed: &OwedNotice,
    ) -> Result<Option<ShownAt>, StoreError> {
        let (Some(run), "reply") = (&owed.run, owed.kind.as_str()) else { return Ok(None) };
        let text = owed.body.get("text").and_then(Value::as_str);
        let slack = owed.thread.as_ref().and_then(|thread| thread.slack.as_ref());
        let (Some(text), Some(slack)) = (text, slack) else { return Ok(None) };
        let show = self.desk.store.show_of(run).await?;
        let ts = show.as_ref().and_then(|show| show.shows(text));
        Ok(ts.map(|ts| ShownAt { channel: slack.channel.clone(), message_ts: ts.to_owned() }))
    }
}
