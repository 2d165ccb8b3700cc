//! What is left when all is over: the desk's rows, the company's books, and Slack's journal.

use std::collections::BTreeMap;
use std::path::Path;

use countersign::sandbox::Passed;
use serde_json::Value;
use sqlx::FromRow;

use crate::database::{Database, look_at};
use crate::operator::Standstill;

/// Everything the checks look at. All but the desk's own rows comes from outside it.
pub struct Evidence {
    pub database: Database,
    pub desk: DeskRows,
    pub company: CompanyRows,
    /// Everything that passed between the bot and Slack.
    pub slack: Vec<Passed>,
    /// Interactions that came once more and were answered with 200.
    pub repeated: Vec<Value>,
    /// When the operator had stopped everything.
    pub stopped: Vec<Standstill>,
    /// What people can still see at the end.
    pub walls: Walls,
}

pub struct DeskRows {
    pub requests: BTreeMap<String, RequestRow>,
    pub executions: Vec<ExecutionRow>,
    pub runs: Vec<RunRow>,
    /// Delivery key and verdict.
    pub intake: BTreeMap<String, Value>,
    pub votes: Vec<(String, String)>,
    pub audit: Vec<AuditRow>,
    /// When each timer was due.
    pub timers: BTreeMap<String, i64>,
    pub cards: Vec<CardRow>,
}

#[derive(FromRow)]
pub struct RequestRow {
    pub id: String,
    pub outcome: Option<String>,
    pub envelope: String,
    pub terms: String,
    pub asked_at: i64,
    pub live_timers: i64,
}

#[derive(FromRow)]
pub struct ExecutionRow {
    pub id: String,
    pub request_id: Option<String>,
    pub retry_class: String,
    pub envelope: String,
    pub key: String,
    pub state: String,
    pub attempts: i64,
    pub note: Option<String>,
}

#[derive(FromRow)]
pub struct RunRow {
    pub id: String,
    pub channel: String,
    pub input: String,
    pub state: String,
    pub error: Option<String>,
    pub replies: i64,
}

pub struct AuditRow {
    pub at: i64,
    pub kind: String,
    pub subject: String,
    pub body: Value,
}

#[derive(FromRow)]
pub struct CardRow {
    pub request_id: String,
    pub kind: String,
    pub state: String,
    pub channel: Option<String>,
    pub message_ts: Option<String>,
}

pub struct CompanyRows {
    pub calls: Vec<Call>,
    pub ledger: Vec<Payment>,
}

#[derive(FromRow)]
pub struct Call {
    pub key: String,
    pub body: String,
}

#[derive(FromRow)]
pub struct Payment {
    pub key: String,
    pub what: String,
    pub amount: String,
    pub receipt: String,
}

/// What stands in the channels when nobody does anything any more.
#[derive(Clone, Default)]
pub struct Walls {
    /// By channel and ts: what can be read.
    pub texts: BTreeMap<(String, String), String>,
    /// Messages that still offer a decision.
    pub live: Vec<String>,
}

impl DeskRows {
    pub async fn read(database: &Database) -> anyhow::Result<Self> {
        let desk = database.look().await?;
        let requests: Vec<RequestRow> = sqlx::query_as(
            "SELECT id, outcome, envelope, terms, asked_at, (SELECT count(*) FROM timers
               WHERE request_id = requests.id AND done_at IS NULL) AS live_timers FROM requests",
        )
        .fetch_all(&desk)
        .await?;
        let executions = sqlx::query_as(
            "SELECT id, request_id, retry_class, envelope, key, state, attempts, note
             FROM executions",
        )
        .fetch_all(&desk)
        .await?;
        let runs = sqlx::query_as(
            "SELECT runs.id, COALESCE(threads.channel, '') AS channel, runs.input, runs.state, runs.error,
                    (SELECT count(*) FROM notices WHERE run_id = runs.id AND kind = 'reply'
                       AND state = 'sent') AS replies
             FROM runs JOIN threads ON threads.id = runs.thread_id",
        )
        .fetch_all(&desk)
        .await?;
        let intake: Vec<(String, String)> =
            sqlx::query_as("SELECT key, verdict FROM intake").fetch_all(&desk).await?;
        let votes = sqlx::query_as("SELECT request_id, person FROM votes").fetch_all(&desk).await?;
        let timers: Vec<(String, i64)> =
            sqlx::query_as("SELECT id, due_at FROM timers").fetch_all(&desk).await?;
        let audit: Vec<(i64, String, String, String)> =
            sqlx::query_as("SELECT at, kind, subject, body FROM audit ORDER BY seq")
                .fetch_all(&desk)
                .await?;
        let cards =
            sqlx::query_as("SELECT request_id, kind, state, channel, message_ts FROM cards")
                .fetch_all(&desk)
                .await?;
        desk.close().await;
        Ok(Self {
            requests: requests.into_iter().map(|row| (row.id.clone(), row)).collect(),
            executions,
            runs,
            intake: intake.into_iter().map(|(key, verdict)| (key, json(&verdict))).collect(),
            votes,
            audit: audit
                .into_iter()
                .map(|(at, kind, subject, body)| AuditRow { at, kind, subject, body: json(&body) })
                .collect(),
            timers: timers.into_iter().collect(),
            cards,
        })
    }
}

impl CompanyRows {
    pub async fn read(file: &Path) -> anyhow::Result<Self> {
        let books = look_at(file).await?;
        let calls =
            sqlx::query_as("SELECT key, body FROM journal ORDER BY seq").fetch_all(&books).await?;
        let ledger = sqlx::query_as("SELECT key, what, amount, receipt FROM ledger")
            .fetch_all(&books)
            .await?;
        books.close().await;
        Ok(Self { calls, ledger })
    }
}

/// A text as JSON; null when it is none, so that a check finds it wanting.
pub fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

/// What an action is about, and how much: the one number that every wish has for itself.
pub fn subject_of(envelope: &str) -> (String, Value) {
    let envelope = json(envelope);
    let arguments = &envelope["arguments"];
    let what = ["charge", "invoice", "older_than"]
        .iter()
        .find_map(|name| arguments[*name].as_str())
        .unwrap_or_default();
    (what.to_owned(), arguments["amount"].clone())
}
