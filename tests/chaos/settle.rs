//! Waits until the desk has nothing left to do: polls its database, read-only, up to a bound.

use std::path::Path;
use std::time::Duration;

use sqlx::SqlitePool;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};

/// What is owed, each with the question that counts it.
const OWED: [(&str, &str); 6] = [
    ("requests pending", "SELECT count(*) FROM requests WHERE outcome IS NULL"),
    ("runs unfinished", "SELECT count(*) FROM runs WHERE state NOT IN ('done', 'failed')"),
    ("executions open", "SELECT count(*) FROM executions WHERE ended_at IS NULL"),
    (
        "cards out of date",
        "SELECT count(*) FROM cards WHERE state = 'open' AND shown_version < want_version",
    ),
    ("notices owed", "SELECT count(*) FROM notices WHERE state = 'owed'"),
    ("timers live", "SELECT count(*) FROM timers WHERE done_at IS NULL"),
];

/// Whatever the desk waits for by itself.
const WAITS: [(&str, &str); 11] = [
    ("runs", "lease_until"),
    ("executions", "lease_until"),
    ("cards", "lease_until"),
    ("cards", "intent_at"),
    ("cards", "retry_at"),
    ("notices", "lease_until"),
    ("notices", "intent_at"),
    ("notices", "retry_at"),
    ("shows", "lease_until"),
    ("shows", "due_at"),
    ("shows", "retry_at"),
];

/// A desk that is stopped in the middle of a commit does not end it.
const BUSY: Duration = Duration::from_millis(500);
const POLL: Duration = Duration::from_millis(50);
/// So many quiet looks in a row: a courier may be between two deliveries.
const QUIET: u32 = 10;

pub async fn look_at(file: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).read_only(true);
    SqlitePoolOptions::new().max_connections(1).connect_with(options).await
}

/// What is still owed, in words; empty when all is settled.
pub async fn owed(desk: &SqlitePool) -> Result<Vec<String>, sqlx::Error> {
    let mut owed = Vec::new();
    for (what, question) in OWED {
        let count: i64 = sqlx::query_scalar(question).fetch_one(desk).await?;
        if count > 0 {
            owed.push(format!("{count} {what}"));
        }
    }
    Ok(owed)
}

/// How many cards wait to be brought up to date.
pub async fn cards_waiting(file: &Path) -> Result<u32, sqlx::Error> {
    let desk = look_at(file).await?;
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM cards WHERE state = 'open' AND shown_version < want_version",
    )
    .fetch_one(&desk)
    .await?;
    desk.close().await;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Polls until nothing is owed, and says what still was when the time was up.
pub async fn wait(file: &Path, bound: Duration) -> Result<Vec<String>, sqlx::Error> {
    let desk = look_at(file).await?;
    let mut last = Vec::new();
    let quiet = async {
        let mut quiet = 0;
        while quiet < QUIET {
            last = owed(&desk).await?;
            quiet = if last.is_empty() { quiet + 1 } else { 0 };
            tokio::time::sleep(POLL).await;
        }
        Ok::<_, sqlx::Error>(())
    };
    // When the time is up, what was owed last is the answer.
    if let Ok(looked) = tokio::time::timeout(bound, quiet).await {
        looked?;
    }
    desk.close().await;
    Ok(last)
}

/// Lets the leases of a killed desk end, and what it was unsure of be settled, as half a minute with
/// the desk closed would. Only the short slice does this; a whole campaign waits. The connection is
/// given back to be closed when the desk is open: the last one to close would fold SQLite's log into
/// the file, and the desk is to find what a crash leaves.
pub async fn half_a_minute_passes(file: &Path) -> Result<SqlitePool, sqlx::Error> {
    let options = SqliteConnectOptions::new().filename(file).busy_timeout(BUSY);
    let desk = SqlitePool::connect_with(options).await?;
    for (table, column) in WAITS {
        let text =
            format!("UPDATE {table} SET {column} = {column} - 30000 WHERE {column} IS NOT NULL");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&desk).await?;
    }
    Ok(desk)
}
