//! In the end: what Slack's side and the company wrote down, against the database.

use std::collections::{BTreeMap, BTreeSet};

use countersign::sandbox::Passed;
use serde_json::Value;
use sqlx::{AnyConnection, AssertSqlSafe};

use crate::office::{Office, sooner_or_later};

/// What is not finished yet.
const OPEN: &str = "SELECT (SELECT count(*) FROM requests WHERE outcome IS NULL)
    + (SELECT count(*) FROM runs WHERE state NOT IN ('done', 'failed'))
    + (SELECT count(*) FROM executions WHERE ended_at IS NULL)";

/// Waits until nothing is open, however much that is, and compares. Each minute something must end.
pub async fn nothing_is_lost_or_doubled(office: &Office, desk: &mut AnyConnection) {
    let mut open = counts(desk, OPEN).await;
    while open > 0 {
        let before = open;
        sooner_or_later("what is open ends", async || {
            open = counts(desk, OPEN).await;
            open < before
        })
        .await;
    }
    let journal = office.slack.journal();
    let clicks = acknowledged_clicks(&journal);
    let kept: BTreeSet<String> = keys(desk).await;
    let lost: Vec<_> = clicks.iter().filter(|key| !kept.contains(*key)).collect();
    assert!(lost.is_empty(), "acknowledged and not in the database: {lost:?}");

    let runs = runs(desk).await;
    for message in acknowledged_messages(&journal) {
        let led_to = runs.get(&message).copied().unwrap_or_default();
        assert_eq!(led_to, 1, "runs of the message {message:?}, which was acknowledged");
    }

    let approved: BTreeSet<String> = sqlx::query_scalar(
        "SELECT executions.key FROM executions JOIN requests ON requests.id = request_id
         WHERE outcome = 'approved' AND executions.state = 'succeeded'",
    )
    .fetch_all(&mut *desk)
    .await
    .unwrap()
    .into_iter()
    .collect();
    let all = counts(desk, "SELECT count(*) FROM requests WHERE outcome = 'approved'").await;
    assert_eq!(approved.len() as i64, all, "each approved action ran");
    let called = office.company.journal().await.unwrap();
    let by_key: BTreeSet<String> = called.iter().map(|call| call.key.clone()).collect();
    assert_eq!(by_key, approved, "the company was called for what was approved and for no more");
    let invoices: BTreeSet<String> = called.iter().map(|call| what(&call.body)).collect();
    assert_eq!(invoices.len(), by_key.len(), "an invoice was paid under two keys");
    let paid = office.company.payments("payment").await.unwrap();
    assert_eq!(paid, all, "each approved payment was made once");
    assert_eq!(paid, runs.len() as i64, "whoever asked for a payment got it");
    println!(
        "  {} clicks and {} messages acknowledged, {paid} payments by {} calls; none lost, none twice",
        clicks.len(),
        runs.len(),
        called.len()
    );
}

pub async fn counts(desk: &mut AnyConnection, question: &str) -> i64 {
    let question = AssertSqlSafe(question.to_owned());
    sqlx::query_scalar(question).fetch_one(desk).await.unwrap()
}

async fn keys(desk: &mut AnyConnection) -> BTreeSet<String> {
    let keys: Vec<String> =
        sqlx::query_scalar("SELECT key FROM intake").fetch_all(desk).await.unwrap();
    keys.into_iter().collect()
}

/// How many clicks a database has that were never acknowledged.
pub async fn clicks_that_nobody_was_promised(
    office: &Office,
    desk: &mut AnyConnection,
) -> BTreeSet<String> {
    let acknowledged = acknowledged_clicks(&office.slack.journal());
    let mut kept = keys(desk).await;
    kept.retain(|key| key.starts_with("click:") && !acknowledged.contains(key));
    kept
}

/// The names of all presses of "Approve" that were answered with 200, from Slack's payloads alone.
fn acknowledged_clicks(journal: &[Passed]) -> BTreeSet<String> {
    let answered = journal
        .iter()
        .filter(|passed| passed.what == "POST /slack/interactions" && passed.status == 200);
    answered.map(|passed| click_key(&passed.sent)).collect()
}

fn click_key(payload: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let (user, place, action) = (&payload["user"], &payload["container"], &payload["actions"][0]);
    format!(
        "click:{}:{}:{}:{}:{}:{}",
        text(&user["team_id"]),
        text(&user["id"]),
        text(&place["channel_id"]),
        text(&place["message_ts"]),
        text(&action["action_id"]),
        text(&action["action_ts"]),
    )
}

fn acknowledged_messages(journal: &[Passed]) -> BTreeSet<(String, String)> {
    let answered = journal
        .iter()
        .filter(|passed| passed.what == "POST /slack/events" && passed.status == 200)
        .map(|passed| &passed.sent["event"])
        .filter(|event| event["type"] == "message" && event["channel_type"] == "im");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    answered.map(|event| (text(&event["channel"]), text(&event["ts"]))).collect()
}

/// How many runs each message led to.
async fn runs(desk: &mut AnyConnection) -> BTreeMap<(String, String), usize> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT threads.channel, runs.input FROM runs JOIN threads ON threads.id = runs.thread_id",
    )
    .fetch_all(desk)
    .await
    .unwrap();
    let mut runs = BTreeMap::new();
    for (channel, input) in rows {
        let input: Value = serde_json::from_str(&input).unwrap();
        let ts = input["ts"].as_str().unwrap_or_default().to_owned();
        *runs.entry((channel, ts)).or_default() += 1;
    }
    runs
}

fn what(body: &str) -> String {
    let body: Value = serde_json::from_str(body).unwrap();
    body["what"].as_str().unwrap_or_default().to_owned()
}
