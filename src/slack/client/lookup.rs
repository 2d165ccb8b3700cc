//! Finding a post again whose outcome is unknown. Slack has no idempotency keys; the id in the
//! message's metadata takes their place.

use serde_json::{Value, json};

use super::messages::{About, Place, Posted};
use super::{Identity, Method, SlackApi, SlackError};
use crate::base::{Span, Timestamp};

/// How far Slack's clock may be from ours.
const SLACK_TIME: Span = Span::minutes(5);
/// How many pages are read in one go. The next goes on from there.
const PAGES: usize = 10;

/// Which message of ours to look for.
#[derive(Clone, Copy, Debug)]
pub struct MetadataQuery<'a> {
    pub place: &'a Place,
    pub about: &'a About,
    /// When we first meant to post it.
    pub since: Timestamp,
}

/// How far a search has come. A busy channel has more pages than may be read at once, and a search
/// that began anew each time it had to wait would never end.
#[derive(Debug, Default)]
pub struct Search {
    cursor: Option<String>,
    found: Vec<Posted>,
}

impl dyn SlackApi + '_ {
    /// Every message of ours that is about this card or notice, the oldest first; the first one is
    /// the one to keep. Only an empty list says that nothing was posted, and a post made a moment
    /// ago may not be in it yet.
    ///
    /// When it has to wait, or has read as much as it may in one go, `search` remembers how far it
    /// came; any other error begins anew.
    ///
    /// Any app may write any metadata, so only messages with our own bot id or app id count.
    pub async fn find_by_metadata(
        &self,
        us: &Identity,
        query: MetadataQuery<'_>,
        search: &mut Search,
    ) -> Result<Vec<Posted>, SlackError> {
        let outcome = self.search_on(us, query, search).await;
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
        query: MetadataQuery<'_>,
        search: &mut Search,
    ) -> Result<Vec<Posted>, SlackError> {
        let oldest = (query.since.as_seconds() - SLACK_TIME.as_millis() / 1000).max(0);
        let mut arguments = json!({
            "channel": query.place.channel,
            "oldest": format!("{oldest}.000000"),
            "include_all_metadata": true,
            "limit": 200,
        });
        let method = match &query.place.thread_ts {
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
            let body = self.call(method, arguments.clone()).await?.body;
            let Some(messages) = body["messages"].as_array() else {
                return Err(SlackError::Unknown { why: "the answer has no `messages`".to_owned() });
            };
            let about = messages
                .iter()
                .filter(|message| is_ours(message, us) && is_about(message, query.about))
                .filter_map(|message| message["ts"].as_str())
                .map(|ts| Posted { channel: query.place.channel.clone(), ts: ts.to_owned() });
            search.found.extend(about);
            match body["response_metadata"]["next_cursor"].as_str() {
                None | Some("") => {
                    let mut found = std::mem::take(&mut search.found);
                    found.sort_by_key(|posted| order(&posted.ts));
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

fn is_about(message: &Value, about: &About) -> bool {
    let metadata = &message["metadata"];
    metadata["event_type"] == about.event_type() && metadata["event_payload"]["id"] == about.id()
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
        let query = MetadataQuery { place, about: &about, since };
        let mut search = Search::default();
        let found = slack.as_dyn().find_by_metadata(&us(), query, &mut search).await?;
        Ok(found.into_iter().map(|posted| posted.ts).collect())
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
        let query = MetadataQuery { place: &place, about: &about, since };
        let mut search = Search::default();
        let first = slack.as_dyn().find_by_metadata(&us(), query, &mut search).await;
        assert!(matches!(first, Err(SlackError::NotDone { .. })), "{first:?}");
        let found = slack.as_dyn().find_by_metadata(&us(), query, &mut search).await.unwrap();
        assert_eq!((found.len(), slack.calls().len()), (1, PAGES + 3));
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
        let query = MetadataQuery { place: &place, about: &about, since };
        let mut search = Search::default();
        let mut outcome = Err(SlackError::Paced { until: since });
        for _ in 0..3 {
            assert!(matches!(outcome, Err(SlackError::Paced { .. })), "{outcome:?}");
            outcome = slack.as_dyn().find_by_metadata(&us(), query, &mut search).await;
        }
        let found: Vec<String> = outcome.unwrap().into_iter().map(|posted| posted.ts).collect();
        assert_eq!(found, ["1789380001.000100", "1789380002.000100", "1789380003.000100"]);
        assert_eq!(slack.calls().len(), 5, "no page is read twice");
    }
}
