//! Waits until the desk has nothing left to do: polls its database, read-only, up to a bound.

use std::time::Duration;

use sqlx::AnyPool;

use crate::database::Database;

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

const POLL: Duration = Duration::from_millis(50);
/// So many quiet looks in a row: a courier may be between two deliveries.
const QUIET: u32 = 10;

/// What is still owed, in words; empty when all is settled.
pub async fn owed(desk: &AnyPool) -> Result<Vec<String>, sqlx::Error> {
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
pub async fn cards_waiting(database: &Database) -> Result<u32, sqlx::Error> {
    let desk = database.look().await?;
    let count: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM cards WHERE state = 'open' AND shown_version < want_version",
    )
    .fetch_one(&desk)
    .await?;
    desk.close().await;
    Ok(u32::try_from(count).unwrap_or(u32::MAX))
}

/// Polls until nothing is owed, and says what still was when the time was up.
pub async fn wait(database: &Database, bound: Duration) -> Result<Vec<String>, sqlx::Error> {
    let desk = database.look().await?;
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
pub async fn half_a_minute_passes(database: &Database) -> Result<AnyPool, sqlx::Error> {
    let desk = database.open().await?;
    for (table, column) in WAITS {
        let text =
            format!("UPDATE {table} SET {column} = {column} - 30000 WHERE {column} IS NOT NULL");
        sqlx::query(sqlx::AssertSqlSafe(text)).execute(&desk).await?;
    }
    Ok(desk)
}
