//! The company that the demo's actions happen to: a payment ledger and a database of sessions.
//!
//! The effects are real, if small: rows are written and deleted in a SQLite file of its own, and a
//! journal counts every call that arrived. Nothing in here knows Countersign, so that what its
//! journal says is evidence from outside.

use std::path::Path;

use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};

use super::mishaps::{Mishap, Mishaps, befall};

const SCHEMA: &str = "
CREATE TABLE ledger (key TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, what TEXT NOT NULL,
                     amount TEXT NOT NULL, currency TEXT NOT NULL, receipt TEXT NOT NULL);
CREATE TABLE sessions (id INTEGER PRIMARY KEY, last_seen TEXT NOT NULL);
CREATE TABLE journal (seq INTEGER PRIMARY KEY, call TEXT NOT NULL, key TEXT NOT NULL,
                      body TEXT NOT NULL);
";

/// As many sessions from before 2025 as the story's estimate says, and some that must survive.
const OLD_SESSIONS: i64 = 18_412;
const RECENT_SESSIONS: i64 = 1_204;

/// The company's services over one database file.
#[derive(Clone)]
pub struct Company {
    db: SqlitePool,
    mishaps: Mishaps,
}

/// One call that arrived, as the company itself wrote it down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct Entry {
    pub call: String,
    pub key: String,
    pub body: String,
}

impl Company {
    /// Opens the company's books, and founds it when the file is new.
    pub async fn open(file: &Path) -> Result<Self, sqlx::Error> {
        let options = SqliteConnectOptions::new().filename(file).create_if_missing(true);
        let db = SqlitePoolOptions::new().max_connections(1).connect_with(options).await?;
        let company = Self { db, mishaps: Mishaps::default() };
        let founded: i64 =
            sqlx::query_scalar("SELECT count(*) FROM sqlite_master WHERE name = 'ledger'")
                .fetch_one(&company.db)
                .await?;
        if founded == 0 {
            company.found().await?;
        }
        Ok(company)
    }

    async fn found(&self) -> Result<(), sqlx::Error> {
        sqlx::raw_sql(SCHEMA).execute(&self.db).await?;
        for (count, last_seen) in [(OLD_SESSIONS, "2024-06-30"), (RECENT_SESSIONS, "2026-11-01")] {
            sqlx::query(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
                 INSERT INTO sessions (last_seen) SELECT $2 FROM n",
            )
            .bind(count)
            .bind(last_seen)
            .execute(&self.db)
            .await?;
        }
        Ok(())
    }

    /// The routes that the demo's tools call.
    pub fn router(&self) -> Router {
        Router::new()
            .route("/orders/{id}", get(order))
            .route("/refunds", post(refund))
            .route("/receipts/{key}", get(receipt))
            .route("/invoices/{invoice}/pay", post(pay_invoice))
            .route("/databases/{database}/execute", post(execute))
            .with_state(self.clone())
            .layer(from_fn_with_state(self.mishaps.clone(), befall))
    }

    /// What goes wrong with the next call; several are taken in order.
    pub fn suffer(&self, mishap: Mishap) {
        self.mishaps.order(mishap);
    }

    /// Waits until a call is left without an answer.
    pub async fn falls_silent(&self) {
        self.mishaps.silent.notified().await;
    }

    /// Every call that arrived, in order.
    pub async fn journal(&self) -> Result<Vec<Entry>, sqlx::Error> {
        sqlx::query_as("SELECT call, key, body FROM journal ORDER BY seq").fetch_all(&self.db).await
    }

    /// How many payments of this kind stand in the ledger, whoever asked how often.
    pub async fn payments(&self, kind: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT count(*) FROM ledger WHERE kind = $1")
            .bind(kind)
            .fetch_one(&self.db)
            .await
    }

    /// How many sessions are left.
    pub async fn sessions(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT count(*) FROM sessions").fetch_one(&self.db).await
    }

    async fn note(&self, call: &str, key: &str, body: &Value) -> Result<(), Fault> {
        sqlx::query("INSERT INTO journal (call, key, body) VALUES ($1, $2, $3)")
            .bind(call)
            .bind(key)
            .bind(body.to_string())
            .execute(&self.db)
            .await?;
        Ok(())
    }

    /// Writes a payment once for each key; a repetition gets the first receipt.
    async fn pay(&self, payment: &Payment<'_>, headers: &HeaderMap) -> Result<String, Fault> {
        let key = idempotency_key(headers)?;
        self.note(payment.kind, &key, &json!(payment)).await?;
        sqlx::query(
            "INSERT INTO ledger (key, kind, what, amount, currency, receipt)
             SELECT $1, $2, $3, $4, $5, $2 || '_' || (count(*) + 1001) FROM ledger
             WHERE true ON CONFLICT (key) DO NOTHING",
        )
        .bind(&key)
        .bind(payment.kind)
        .bind(payment.what)
        .bind(payment.amount.to_string())
        .bind(payment.currency)
        .execute(&self.db)
        .await?;
        let receipt = sqlx::query_scalar("SELECT receipt FROM ledger WHERE key = $1")
            .bind(&key)
            .fetch_one(&self.db)
            .await?;
        Ok(receipt)
    }
}

/// Money that goes out.
#[derive(Serialize)]
struct Payment<'a> {
    kind: &'static str,
    what: &'a str,
    amount: &'a Value,
    currency: &'a str,
}

async fn order(UrlPath(id): UrlPath<String>) -> Json<Value> {
    Json(json!({
        "order": id, "customer": "Acme Bakery", "charge": format!("ch_{id}"),
        "amount": 640.00, "currency": "EUR", "charged_twice": true,
    }))
}

#[derive(Deserialize)]
struct Refund {
    charge: String,
    amount: Value,
    currency: String,
}

async fn refund(
    State(company): State<Company>,
    headers: HeaderMap,
    Json(refund): Json<Refund>,
) -> Result<(StatusCode, Json<Value>), Fault> {
    let Refund { charge, amount, currency } = &refund;
    let payment = Payment { kind: "refund", what: charge, amount, currency };
    let receipt = company.pay(&payment, &headers).await?;
    let body = json!({ "refund": receipt, "amount": refund.amount, "currency": refund.currency });
    Ok((StatusCode::CREATED, Json(body)))
}

/// The payment that was made with a key, if one was.
async fn receipt(
    State(company): State<Company>,
    UrlPath(key): UrlPath<String>,
) -> Result<Response, Fault> {
    let found: Option<(String, String, String)> =
        sqlx::query_as("SELECT receipt, amount, currency FROM ledger WHERE key = $1")
            .bind(&key)
            .fetch_optional(&company.db)
            .await?;
    Ok(match found {
        Some((receipt, amount, currency)) => {
            Json(json!({ "refund": receipt, "amount": amount, "currency": currency }))
                .into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    })
}

#[derive(Deserialize)]
struct Invoice {
    amount: Value,
    currency: String,
}

async fn pay_invoice(
    State(company): State<Company>,
    UrlPath(invoice): UrlPath<String>,
    headers: HeaderMap,
    Json(paid): Json<Invoice>,
) -> Result<Json<Value>, Fault> {
    let Invoice { amount, currency } = &paid;
    let payment = Payment { kind: "payment", what: &invoice, amount, currency };
    let receipt = company.pay(&payment, &headers).await?;
    Ok(Json(json!({ "payment": receipt, "invoice": invoice, "amount": amount })))
}

#[derive(Deserialize, Serialize)]
struct Statement {
    /// Sessions last seen before this day go.
    older_than: String,
}

async fn execute(
    State(company): State<Company>,
    UrlPath(database): UrlPath<String>,
    headers: HeaderMap,
    Json(statement): Json<Statement>,
) -> Result<Json<Value>, Fault> {
    let key = idempotency_key(&headers)?;
    company.note(&format!("delete in {database}"), &key, &json!(statement)).await?;
    let deleted = sqlx::query("DELETE FROM sessions WHERE last_seen < $1")
        .bind(&statement.older_than)
        .execute(&company.db)
        .await?;
    Ok(Json(json!({ "database": database, "deleted_rows": deleted.rows_affected() })))
}

fn idempotency_key(headers: &HeaderMap) -> Result<String, Fault> {
    let key = headers.get("idempotency-key").and_then(|key| key.to_str().ok());
    key.map(str::to_owned).ok_or(Fault::KeyMissing)
}

/// Why the company could not do as it was told.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error("the Idempotency-Key header is missing")]
    KeyMissing,
    #[error("the books could not be written")]
    Books(#[from] sqlx::Error),
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = match self {
            Self::KeyMissing => StatusCode::BAD_REQUEST,
            Self::Books(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        (status, Json(json!({ "error": self.to_string() }))).into_response()
    }
}
