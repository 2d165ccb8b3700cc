//! From the channel names in a configuration to Slack's ids.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use super::places::Channel;
use super::{SlackApi, SlackError};
use crate::base::{Clock, Span, Timestamp};

/// A channel can be archived and another one take its name, so what was found is not kept for ever.
const KEPT: Span = Span::minutes(10);

/// Finds channels by name and remembers them for ten minutes.
pub struct Channels {
    slack: Arc<dyn SlackApi>,
    clock: Arc<dyn Clock>,
    /// By name, and by id where the configuration has it.
    known: Mutex<HashMap<String, (Timestamp, Channel)>>,
}

impl Channels {
    pub fn new(slack: Arc<dyn SlackApi>, clock: Arc<dyn Clock>) -> Self {
        Self { slack, clock, known: Mutex::default() }
    }

    /// The id of a channel written as `#name`, `name` or as the id itself. Private channels are
    /// only found when we are in them.
    pub async fn id_of(&self, written: &str) -> Result<String, SlackError> {
        match self.known_id(written) {
            Some(id) => Ok(id),
            None => Ok(self.look_up(written).await?.id),
        }
    }

    /// The same for what approvers are shown: never a channel that people of another company see, or
    /// are invited to, whoever shared it since the configuration was written.
    pub async fn id_for_cards(&self, written: &str) -> Result<String, SlackError> {
        let channel = match self.fresh(written) {
            Some(channel) => channel,
            None => self.look_up(written).await?,
        };
        match channel.is_ext_shared {
            true => Err(SlackError::PlaceWrong { code: "is_ext_shared".to_owned() }),
            false => Ok(channel.id),
        }
    }

    /// The id, as far as it needs no asking.
    pub fn known_id(&self, written: &str) -> Option<String> {
        if Channel::is_id(written) {
            return Some(written.to_owned());
        }
        self.fresh(written).map(|channel| channel.id)
    }

    fn fresh(&self, written: &str) -> Option<Channel> {
        let known = self.known();
        let entry = known.get(name(written)).filter(|(seen, _)| self.is_fresh(*seen));
        entry.map(|(_, channel)| channel.clone())
    }

    fn is_fresh(&self, seen: Timestamp) -> bool {
        let now = self.clock.now();
        seen <= now && now.since(seen) < KEPT
    }

    async fn look_up(&self, written: &str) -> Result<Channel, SlackError> {
        let now = self.clock.now();
        if Channel::is_id(written) {
            let channel = self.slack.channel_info(written).await?;
            self.known().insert(written.to_owned(), (now, channel.clone()));
            return Ok(channel);
        }
        let found = self.slack.channels().await?;
        let mut known = self.known();
        known.retain(|key, (seen, _)| Channel::is_id(key) && self.is_fresh(*seen));
        let entry = |channel: Channel| Some((channel.name.clone()?, (now, channel)));
        known.extend(found.into_iter().filter_map(entry));
        known
            .get(name(written))
            .map(|(_, channel)| channel.clone())
            .ok_or_else(|| SlackError::PlaceWrong { code: "channel_not_found".to_owned() })
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<String, (Timestamp, Channel)>> {
        // Each use is one step; a panic elsewhere leaves nothing half done in it.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn name(written: &str) -> &str {
    written.trim_start_matches('#')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::base::TurnableClock;
    use crate::slack::client::Method;
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

    #[tokio::test]
    async fn what_another_company_sees_is_no_place_for_cards_however_it_is_written() {
        let shared = |id: &str, shared: bool| json!({"id": id, "name": id.to_lowercase(), "is_ext_shared": shared});
        let slack = FakeSlack::answering(move |method, arguments| {
            Ok(match method {
                Method::ConversationsInfo => {
                    let id = arguments["channel"].as_str().unwrap();
                    json!({"channel": shared(id, id == "C0PARTNERS")})
                }
                _ => json!({"channels": [
                    shared("C0PARTNERS", true),
                    shared("C0APPROVAL", false),
                    {"id": "C0INVITED1", "name": "invited", "is_pending_ext_shared": true},
                ]}),
            })
        });
        let clock = Arc::new(TurnableClock::standing_at(Timestamp::from_millis(0)));
        let channels = Channels::new(slack.clone(), clock.clone());
        for written in ["#c0partners", "C0PARTNERS", "#invited"] {
            let refused = channels.id_for_cards(written).await.unwrap_err();
            assert_eq!(refused.code(), Some("is_ext_shared"), "{written}");
            assert!(channels.id_of(written).await.is_ok(), "agents may be asked in {written}");
        }
        for written in ["#c0approval", "C0APPROVAL", "C0APPROVAL"] {
            assert_eq!(channels.id_for_cards(written).await.unwrap(), "C0APPROVAL");
        }
        assert_eq!(slack.calls().len(), 3, "one list, and each id once");
        clock.turn_forward(KEPT);
        channels.id_for_cards("C0APPROVAL").await.unwrap();
        assert_eq!(slack.calls().len(), 4, "what was known is too old");
    }
}
