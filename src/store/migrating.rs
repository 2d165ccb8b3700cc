//! How a server's schema is brought up to date beside desks that serve.
//!
//! A change of a table waits for everybody who reads it, and meanwhile everybody else waits for the
//! change. So whoever migrates takes the turn first, which is all that writers hold while they wait,
//! gives way after a moment, and tries again: neither a deadlock nor somebody who looks at everything
//! for minutes stops the desks, or the upgrade.

use std::time::Duration;

use sqlx::{AnyConnection, Connection};

use super::{StoreError, schema};

/// Names the lock of whoever migrates: "desk" in ASCII.
const MIGRATING: i64 = 0x6465_736b;
/// For so long others wait for a lock that we wait for.
const GIVE_WAY: &str = "SET LOCAL lock_timeout = '1s'";
const BETWEEN_TRIES: Duration = Duration::from_millis(500);
const TRIES: usize = 60;

/// Brings the schema up to date. Processes that start together take turns, and what one of them
/// begins is done whole or not at all.
pub(super) async fn migrate(conn: &mut AnyConnection) -> Result<(), StoreError> {
    for _ in 0..TRIES {
        match attempt(conn).await {
            Err(StoreError::Busy) => {
                tracing::info!("the schema is brought up to date when others leave a gap");
                tokio::time::sleep(BETWEEN_TRIES).await;
            }
            done => return done,
        }
    }
    let why = "somebody has been reading its tables without a pause; end whatever looks at all of \
               them, such as a dump or `verify`, and start again";
    Err(StoreError::Migration(why.to_owned()))
}

/// [`StoreError::Busy`] when others were in the way: nothing is changed.
async fn attempt(conn: &mut AnyConnection) -> Result<(), StoreError> {
    let mut transaction = conn.begin().await?;
    let changed = change(&mut transaction).await;
    if changed.is_ok() {
        transaction.commit().await?;
    } else {
        // One that is only dropped ends when its connection is next used, and holds the turn until then.
        transaction.rollback().await?;
    }
    changed
}

async fn change(conn: &mut AnyConnection) -> Result<(), StoreError> {
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(MIGRATING).execute(&mut *conn).await?;
    sqlx::raw_sql(GIVE_WAY).execute(&mut *conn).await?;
    let others_may_write: bool = sqlx::query_scalar("SELECT to_regclass('desk_turn') IS NOT NULL")
        .fetch_one(&mut *conn)
        .await?;
    if others_may_write {
        sqlx::raw_sql("SELECT one FROM desk_turn FOR UPDATE").execute(&mut *conn).await?;
    }
    schema::bring_up_to_date(&schema::postgres(), conn).await
}

#[cfg(test)]
mod tests;
