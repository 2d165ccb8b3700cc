//! Finding a post again whose outcome is unknown. Slack has no idempotency keys; the id in the
//! message's metadata takes their place.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::messages::{About, Place, Posted};
use super::{Identity, Method, SlackApi, SlackError};
use crate::base::{Span, Timestamp};

/// How far Slack's clock may be from ours.
const SLACK_TIME: Span = Span::minutes(5);
/// How many pages are read in one go. The next goes on from there.
const PAGES: usize = 10;

/// Messages of ours, by what they are about.
#[derive(Debug, Default)]
pub struct OurPosts(HashMap<(String, String), Vec<Posted>>);

impl OurPosts {
    /// Every message about this card or notice, the oldest first; the first one is the one to keep.
    pub fn about(&self, about: &About) -> &[Posted] {
        let of = (about.event_type().to_owned(), about.id().to_owned());
        self.0.get(&of).map_or(&[], Vec::as_slice)
    }
}

/// How far a search has come. A busy channel has more pages than may be read at once, and a search
/// that began anew each time it had to wait would never end.
#[derive(Debug, Default)]
pub struct Search {
    cursor: Option<String>,
    found: OurPosts,
}

impl dyn SlackApi + '_ {
    /// Every message that we posted there since then, by what it is about. What is not among them
    /// was not posted, but for a post made a moment ago: that may not be in it yet.
    ///
    /// When it has to wait, or has read as much as it may in one go, `search` remembers how far it
    /// came; any other error begins anew.
    ///
    /// Any app may write any metadata, so only messages with our own bot id or app id count.
    pub async fn our_posts(
        &self,
        us: &Identity,
        place: &Place,
        since: Timestamp,
        search: &mut Search,
    ) -> Result<OurPosts, SlackError> {
        let outcome = self.search_on(us, place, since, search).await;
        match &outcome {
            Err(
                SlackError::Paced { .. }
                | SlackError::RateLimited { .. }
                | SlackError::NotDone { .. },
            ) => {}
            Ok(_) | Err(_) => *search = Search::default(),
        }
        outcome
    }

    async fn search_on(
        &self,
        us: &Identity,
        place: &Place,
        since: Timestamp,
        search: &mut Search,
    ) -> Result<OurPosts, SlackError> {
        let oldest = (since.as_seconds() - SLACK_TIME.as_millis() / 1000).max(0);
        let mut arguments = json!({
            "channel": place.channel,
            "oldest": format!("{oldest}.000000"),
            "include_all_metadata": true,
            "limit": 200,
        });
        let method = match &place.thread_ts {
            Some(root) => {
                arguments["ts"] = json!(root);
                Method::ConversationsReplies
            }
            None => Method::ConversationsHistory,
        };
        for _ in 0..PAGES {
            if let Some(cursor) = &search.cursor {
                arguments["cursor"] = json!(cursor);
            }
            let body = match self.call(method, arguments.clone()).await {
                Ok(answer) => answer.body,
                // Slack keeps a cursor for so long; what comes next begins anew.
                Err(SlackError::OurBug { code, .. }) if code == "invalid_cursor" => {
                    *search = Search::default();
                    return Err(SlackError::NotDone { why: code });
                }
                Err(error) => return Err(error),
            };
            let Some(messages) = body["messages"].as_array() else {
                return Err(SlackError::Unknown { why: "the answer has no `messages`".to_owned() });
            };
            for message in messages.iter().filter(|message| is_ours(message, us)) {
                if let Some((about, ts)) = about_and_ts(message) {
                    let posted = Posted { channel: place.channel.clone(), ts };
                    search.found.0.entry(about).or_default().push(posted);
                }
            }
            match body["response_metadata"]["next_cursor"].as_str() {
                None | Some("") => {
                    let mut found = std::mem::take(&mut search.found);
                    for posts in found.0.values_mut() {
                        posts.sort_by_key(|posted| order(&posted.ts));
                    }
                    return Ok(found);
                }
                Some(cursor) => search.cursor = Some(cursor.to_owned()),
            }
        }
        Err(SlackError::NotDone { why: format!("the search goes on after {PAGES} pages") })
    }
}

fn is_ours(message: &Value, us: &Identity) -> bool {
    let app = us.app_id.as_deref();
    message["bot_id"] == us.bot_id || app.is_some_and(|app| message["app_id"] == app)
}

/// What a message says in its metadata that it is about, and where it stands.
fn about_and_ts(message: &Value) -> Option<((String, String), String)> {
    let metadata = &message["metadata"];
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let about = (text(&metadata["event_type"])?, text(&metadata["event_payload"]["id"])?);
    Some((about, text(&message["ts"])?))
}

/// A ts is two numbers with a dot between them, never a fraction.
fn order(ts: &str) -> (u64, u64) {
    let (seconds, count) = ts.split_once('.').unwrap_or((ts, "0"));
    (seconds.parse().unwrap_or_default(), count.parse().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::base::CardId;
    use crate::slack::client::fake::{FakeSlack, us};

    fn message(ts: &str, bot_id: &str, event_type: &str, id: &str) -> Value {
        json!({
            "ts": ts, "bot_id": bot_id,
            "metadata": {"event_type": event_type, "event_payload": {"id": id}},
        })
    }

    fn place(thread_ts: Option<&str>) -> Place {
        Place { channel: "C0APPROVAL".to_owned(), thread_ts: thread_ts.map(str::to_owned) }
    }

    async fn found(slack: &FakeSlack, place: &Place) -> Result<Vec<String>, SlackError> {
        let about = About::Card(CardId::existing("crd_1"));
        let since = Timestamp::from_millis(1_789_380_000_000);
        let mut search = Search::default();
        let found = slack.as_dyn().our_posts(&us(), place, since, &mut search).await?;
        Ok(found.about(&about).iter().map(|posted| posted.ts.clone()).collect())
    }

    #[tokio::test]
    async fn only_our_own_posts_about_this_card_are_found_the_oldest_first() {
        let slack = FakeSlack::answering(|_, _| {
            Ok(json!({"messages": [
                message("1789380010.000200", "B0BOTPROF1", "countersign_card", "crd_1"),
                message("1789380010.000100", "B0BOTPROF1", "countersign_card", "crd_1"),
                message("1789380001.000100", "B0OTHERBT1", "countersign_card", "crd_1"),
                message("1789380002.000100", "B0BOTPROF1", "countersign_notice", "crd_1"),
                message("1789380003.000100", "B0BOTPROF1", "countersign_card", "crd_2"),
                {"ts": "1789380004.000100", "user": "U0REQUEST1", "text": "crd_1"},
            ]}))
        });
        let found = found(&slack, &place(None)).await.unwrap();
        assert_eq!(found, ["1789380010.000100", "1789380010.000200"]);
        let (method, arguments) = slack.calls().remove(0);
        assert_eq!(method, Method::ConversationsHistory);
        assert_eq!(arguments["oldest"], "1789379700.000000");
        assert_eq!(arguments["include_all_metadata"], true);
    }

    #[tokio::test]
    async fn a_thread_is_searched_in_its_replies() {
        let slack = FakeSlack::answering(|_, _| Ok(json!({"messages": []})));
        assert_eq!(found(&slack, &place(Some("1789370000.000100"))).await.unwrap().len(), 0);
        let (method, arguments) = slack.calls().remove(0);
        assert_eq!(method, Method::ConversationsReplies);
        assert_eq!(arguments["ts"], "1789370000.000100");
    }

    #[tokio::test]
    async fn a_history_that_has_not_ended_proves_nothing() {
        let slack = FakeSlack::answering(|_, _| {
            Ok(json!({"messages": [], "response_metadata": {"next_cursor": "more="}}))
        });
        let outcome = found(&slack, &place(None)).await;
        assert!(matches!(outcome, Err(SlackError::NotDone { .. })), "{outcome:?}");
        assert_eq!(slack.calls().len(), PAGES);
    }

    #[tokio::test]
    async fn a_long_history_is_read_to_its_end_in_several_goes() {
        let slack = FakeSlack::answering(|_, arguments| {
            let page: usize = arguments["cursor"].as_str().map_or(1, |page| page.parse().unwrap());
            let last = page == PAGES + 3;
            let ours = message("1789380010.000100", "B0BOTPROF1", "countersign_card", "crd_1");
            Ok(json!({
                "messages": if last { json!([ours]) } else { json!([]) },
                "response_metadata": {
                    "next_cursor": if last { String::new() } else { (page + 1).to_string() },
                },
            }))
        });
        let (about, place) = (About::Card(CardId::existing("crd_1")), place(None));
        let since = Timestamp::from_millis(1_789_380_000_000);
        let mut search = Search::default();
        let first = slack.as_dyn().our_posts(&us(), &place, since, &mut search).await;
        assert!(matches!(first, Err(SlackError::NotDone { .. })), "{first:?}");
        let found = slack.as_dyn().our_posts(&us(), &place, since, &mut search).await.unwrap();
        assert_eq!((found.about(&about).len(), slack.calls().len()), (1, PAGES + 3));
    }

    /// A search may wait for an hour, and Slack does not say for how long it knows a cursor.
    #[tokio::test]
    async fn a_cursor_that_slack_has_forgotten_begins_the_search_anew() {
        let calls = AtomicUsize::new(0);
        let slack = FakeSlack::answering(move |_, arguments| {
            let nth = calls.fetch_add(1, Ordering::SeqCst);
            match (nth, arguments["cursor"].is_string()) {
                (0, false) => {
                    let next = json!({"next_cursor": "two"});
                    Ok(json!({"messages": [], "response_metadata": next}))
                }
                (1, true) => {
                    let code = "invalid_cursor".to_owned();
                    Err(SlackError::OurBug { code, messages: Vec::new() })
                }
                (_, true) => panic!("a forgotten cursor is given again"),
                (_, false) => {
                    let ours =
                        message("1789380001.000100", "B0BOTPROF1", "countersign_card", "crd_1");
                    Ok(json!({"messages": [ours]}))
                }
            }
        });
        let (about, place) = (About::Card(CardId::existing("crd_1")), place(None));
        let since = Timestamp::from_millis(1_789_380_000_000);
        let mut search = Search::default();
        let first = slack.as_dyn().our_posts(&us(), &place, since, &mut search).await;
        assert!(matches!(first, Err(SlackError::NotDone { .. })), "{first:?}");
        let found = slack.as_dyn().our_posts(&us(), &place, since, &mut search).await.unwrap();
        assert_eq!(found.about(&about).len(), 1);
    }

    #[tokio::test]
    async fn a_search_that_had_to_wait_goes_on_where_it_was() {
        let turn = AtomicUsize::new(0);
        let slack = FakeSlack::answering(move |_, arguments| {
            // Every second call comes too early, as when others search as well.
            if turn.fetch_add(1, Ordering::SeqCst) % 2 == 1 {
                return Err(SlackError::Paced { until: Timestamp::from_millis(1) });
            }
            let page: u64 = arguments["cursor"].as_str().map_or(1, |page| page.parse().unwrap());
            let ts = format!("178938000{page}.000100");
            let next = if page < 3 { (page + 1).to_string() } else { String::new() };
            Ok(json!({
                "messages": [message(&ts, "B0BOTPROF1", "countersign_card", "crd_1")],
                "response_metadata": { "next_cursor": next },
            }))
        });
        let (about, place) = (About::Card(CardId::existing("crd_1")), place(None));
        let since = Timestamp::from_millis(1_789_380_000_000);
        let mut search = Search::default();
        let mut outcome = Err(SlackError::Paced { until: since });
        for _ in 0..3 {
            assert!(matches!(outcome, Err(SlackError::Paced { .. })), "{outcome:?}");
            outcome = slack.as_dyn().our_posts(&us(), &place, since, &mut search).await;
        }
        let found = outcome.unwrap();
        let found: Vec<&str> =
            found.about(&about).iter().map(|posted| posted.ts.as_str()).collect();
        assert_eq!(found, ["1789380001.000100", "1789380002.000100", "1789380003.000100"]);
        assert_eq!(slack.calls().len(), 5, "no page is read twice");
    }
}
