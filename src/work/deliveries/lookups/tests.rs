use std::sync::atomic::AtomicUsize;

use serde_json::{Value, json};

use super::*;
use crate::base::{CardId, TurnableClock};
use crate::slack::client::fake::{FakeSlack, us};

const NOON: Timestamp = Timestamp::from_millis(1_789_380_000_000);

fn channel() -> Place {
    Place { channel: "C0APPROVAL".to_owned(), thread_ts: None }
}

fn card(id: &str) -> About {
    About::Card(CardId::existing(id))
}

fn lookups(slack: &Arc<FakeSlack>) -> Lookups {
    Lookups::new(slack.clone(), us(), Arc::new(TurnableClock::standing_at(NOON)))
}

/// A channel of two pages, with the first card on the second one. The second call comes too early.
fn busy_channel() -> Arc<FakeSlack> {
    let calls = AtomicUsize::new(0);
    FakeSlack::answering(move |_, arguments| {
        if calls.fetch_add(1, Ordering::SeqCst) == 1 {
            return Err(SlackError::Paced { until: NOON });
        }
        let last = arguments["cursor"] == "two";
        let messages = if last { json!([posted("crd_1")]) } else { json!([]) };
        let next = if last { "" } else { "two" };
        Ok(json!({"messages": messages, "response_metadata": {"next_cursor": next}}))
    })
}

fn posted(card: &str) -> Value {
    json!({
        "ts": "1789380001.000100", "bot_id": "B0BOTPROF1",
        "metadata": {"event_type": "countersign_card", "event_payload": {"id": card}},
    })
}

async fn sees(
    lookups: &Lookups,
    id: &str,
    claim: Claim,
    epoch: u64,
) -> Result<Option<String>, SlackError> {
    let found = lookups.find(&card(id), &channel(), NOON, claim, epoch).await?;
    Ok(found.map(|posted| posted.ts))
}

/// What each call asked to go on from.
fn cursors(slack: &FakeSlack) -> Vec<Option<String>> {
    let calls = slack.calls().into_iter();
    calls.map(|(_, given)| given["cursor"].as_str().map(str::to_owned)).collect()
}

#[tokio::test]
async fn one_look_answers_for_all_that_were_claimed_before_it() {
    let slack = FakeSlack::answering(|_, _| Ok(json!({"messages": [posted("crd_1")]})));
    let lookups = lookups(&slack);
    let claim = lookups.claimed(NOON);
    assert!(while_somebody_looks(&lookups, "crd_1", claim).await.is_err());
    assert_eq!(sees(&lookups, "crd_2", claim, 1).await, Ok(None));
    let later = lookups.claimed(NOON);
    let found = sees(&lookups, "crd_1", later, 2).await;
    assert_eq!(found, Ok(Some("1789380001.000100".to_owned())));
    assert_eq!(slack.calls().len(), 1);
}

#[tokio::test]
async fn a_look_does_not_answer_for_what_others_had_while_it_was_made() {
    let slack = FakeSlack::answering(|_, _| Ok(json!({"messages": []})));
    let lookups = lookups(&slack);
    let claim = lookups.claimed(NOON);
    assert!(while_somebody_looks(&lookups, "crd_1", claim).await.is_err());
    assert_eq!(sees(&lookups, "crd_2", claim, 1).await, Ok(None));
    let later = lookups.claimed(NOON);
    assert_eq!(sees(&lookups, "crd_3", later, 1).await, Ok(None));
    assert_eq!(slack.calls().len(), 2);
}

/// What somebody sees while another looks at the same channel.
async fn while_somebody_looks(
    lookups: &Lookups,
    id: &str,
    claim: Claim,
) -> Result<Option<String>, SlackError> {
    let seen = open(&lookups.places).entry(channel()).or_default().clone();
    let _looking = seen.lock().await;
    sees(lookups, id, claim, 1).await
}

#[tokio::test]
async fn a_look_that_had_to_wait_is_gone_on_with_by_whoever_comes_next() {
    let slack = busy_channel();
    let lookups = lookups(&slack);
    let claim = lookups.claimed(NOON);
    let early = sees(&lookups, "crd_1", claim, 1).await;
    assert_eq!(early, Err(SlackError::Paced { until: NOON }));
    assert_eq!(sees(&lookups, "crd_2", claim, 1).await, Ok(None));
    let again = lookups.claimed(NOON);
    let found = sees(&lookups, "crd_1", again, 2).await;
    assert_eq!(found, Ok(Some("1789380001.000100".to_owned())));
    let two = || Some("two".to_owned());
    assert_eq!(cursors(&slack), [None, two(), two()], "no page is read twice");
}

/// Another desk may have posted it between our two claims, on the page that was read already.
#[tokio::test]
async fn a_look_begins_anew_when_somebody_else_had_it_between() {
    let slack = busy_channel();
    let lookups = lookups(&slack);
    let claim = lookups.claimed(NOON);
    assert!(sees(&lookups, "crd_1", claim, 1).await.is_err());
    let again = lookups.claimed(NOON);
    assert!(sees(&lookups, "crd_1", again, 3).await.is_ok());
    let two = || Some("two".to_owned());
    assert_eq!(cursors(&slack), [None, two(), None, two()]);
}

#[tokio::test]
async fn nobody_waits_for_somebody_elses_look() {
    let slack = FakeSlack::answering(|_, _| Ok(json!({"messages": []})));
    let lookups = lookups(&slack);
    let early = while_somebody_looks(&lookups, "crd_1", lookups.claimed(NOON)).await;
    assert_eq!(early, Err(SlackError::Paced { until: NOON.plus(A_LOOK) }));
    assert_eq!(slack.calls().len(), 0);
    assert_eq!(sees(&lookups, "crd_1", lookups.claimed(NOON), 2).await, Ok(None));
}
