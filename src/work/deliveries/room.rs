//! How much Slack would take now. Only that is claimed: what is owed may be ten thousand cards, and each
//! that came too early would have been read, drawn and put back for nothing.

use super::Deliveries;
use crate::slack::client::Method;
use crate::store::{Room, StoreError};

impl Deliveries {
    pub(super) async fn room(&self) -> Result<Room, StoreError> {
        let slack = &self.desk.slack;
        let posts = self.desk.store.places_to_post().await?.into_iter().map(|place| {
            let channel = self.desk.channels.known_id_of(self.as_written(&place));
            // The first one finds out which channel it is.
            let room = channel.map_or(1, |id| slack.room(Method::ChatPostMessage, Some(&id)));
            (place, room)
        });
        Ok(Room { posts: posts.collect(), updates: slack.room(Method::ChatUpdate, None) })
    }
}
