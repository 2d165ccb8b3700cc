//! From the channel names in a configuration to Slack's ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::places::Channel;
use super::{SlackApi, SlackError};
use crate::base::{Clock, Span, Timestamp};

/// A channel can be archived and another one take its name, so what was found is not kept for ever.
const KEPT: Span = Span::minutes(10);

/// Finds channels by name and remembers their ids for ten minutes.
pub struct Channels {
    slack: Arc<dyn SlackApi>,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, (Timestamp, String)>>,
}

impl Channels {
    pub fn new(slack: Arc<dyn SlackApi>, clock: Arc<dyn Clock>) -> Self {
        Self { slack, clock, known: Mutex::default() }
    }

    /// The id of a channel written as `#name`, `name` or as the id itself. Private channels are
    /// only found when we are in them.
    pub async fn id_of(&self, written: &str) -> Result<String, SlackError> {
        if Channel::is_id(written) {
            return Ok(written.to_owned());
        }
        let name = written.trim_start_matches('#');
        let now = self.clock.now();
        let fresh = |known: &&(Timestamp, String)| known.0 <= now && now.since(known.0) < KEPT;
        if let Some((_, id)) = self.known().get(name).filter(fresh) {
            return Ok(id.clone());
        }
        let found = self.slack.channels().await?;
        let mut known = self.known();
        known.clear();
        let entry = |channel: Channel| Some((channel.name?, (now, channel.id)));
        known.extend(found.into_iter().filter_map(entry));
        known
            .get(name)
            .map(|(_, id)| id.clone())
            .ok_or_else(|| SlackError::PlaceWrong { code: "channel_not_found".to_owned() })
    }

    /// The same without asking anybody, if it is an id or was found before.
    pub fn known_id_of(&self, written: &str) -> Option<String> {
        if Channel::is_id(written) {
            return Some(written.to_owned());
        }
        self.known().get(written.trim_start_matches('#')).map(|(_, id)| id.clone())
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Timestamp, String)>> {
        // The map is replaced as a whole; a panic elsewhere leaves nothing half done in it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::TurnableClock;
    use crate::slack::client::fake::FakeSlack;

    #[tokio::test]
    async fn names_are_looked_up_once_in_ten_minutes_over_all_pages() {
        let slack = FakeSlack::answering(|_, arguments| {
            Ok(match arguments["cursor"].as_str() {
                None => json!({
                    "channels": [{"id": "C0GENERAL1", "name": "general"}],
                    "response_metadata": {"next_cursor": "two="},
                }),
                Some(_) => json!({"channels": [{"id": "C0APPROVAL", "name": "approvals"}]}),
            })
        });
        let clock = Arc::new(TurnableClock::standing_at(Timestamp::from_millis(0)));
        let channels = Channels::new(slack.clone(), clock.clone());
        assert_eq!(channels.id_of("C0ANYTHING").await.unwrap(), "C0ANYTHING");
        assert_eq!(slack.calls().len(), 0, "an id needs no lookup");

        assert_eq!(channels.id_of("#approvals").await.unwrap(), "C0APPROVAL");
        assert_eq!(channels.id_of("general").await.unwrap(), "C0GENERAL1");
        assert_eq!(slack.calls().len(), 2, "two pages, once");

        clock.turn_forward(KEPT);
        assert_eq!(channels.id_of("approvals").await.unwrap(), "C0APPROVAL");
        assert_eq!(slack.calls().len(), 4, "what was known is too old");

        let missing = channels.id_of("#typo").await.unwrap_err();
        assert_eq!(missing.code(), Some("channel_not_found"));
    }
}
