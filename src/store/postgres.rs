//! A Postgres server: any number of processes write, one at a time.

use std::time::Duration;

use sqlx::any::AnyPoolOptions;
use sqlx::{AnyConnection, AnyPool, Connection};

use super::place::Server;
use super::primary::Primary;
use super::reader::STILL_THERE;
use super::{StoreError, schema};

/// Readers beside the writer: people's lists must not make clicks wait.
const READERS: u32 = 4;
/// How long a server may take to answer that it is there.
const CONNECTING: Duration = Duration::from_secs(5);

/// How long a process that has just ended may still be seen at the server.
const LEAVING: Duration = Duration::from_secs(2);
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
/// Sessions that call themselves as ours do: desks, and what their operators run.
const OTHERS: &str = "SELECT COUNT(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND application_name = current_setting('application_name')";

/// What no other server says of itself, and none that was started again.
const NAME: &str = "SELECT CAST(extract(epoch FROM pg_postmaster_start_time()) AS TEXT)";

/// Connects to write. From now on this server is the one to read from.
pub(super) async fn connect_to_write(server: &Server) -> Result<AnyConnection, StoreError> {
    let mut conn = connect(server).await?;
    let asking = tokio::time::timeout(CONNECTING, sqlx::query_scalar(NAME).fetch_one(&mut conn));
    let silent = || StoreError::Lost("it did not answer".to_owned());
    server.primary().is(asking.await.map_err(|_| silent())??);
    Ok(conn)
}

/// Connects to a server that takes writes and keeps what it says it has written.
async fn connect(server: &Server) -> Result<AnyConnection, StoreError> {
    let mut conn = connect_at_all(server).await?;
    let cannot = |why: String| StoreError::Place { place: server.to_string(), why };
    let probing = tokio::time::timeout(CONNECTING, probe(server, &mut conn)).await;
    probing.map_err(|_| cannot("it took the connection and then fell silent".to_owned()))??;
    Ok(conn)
}

pub(super) async fn connect_at_all(server: &Server) -> Result<AnyConnection, StoreError> {
    // Whoever only asks about a server comes here without having opened a store.
    sqlx::any::install_default_drivers();
    let cannot = |why: String| StoreError::Place { place: server.to_string(), why };
    let connecting = tokio::time::timeout(CONNECTING, AnyConnection::connect(server.url())).await;
    connecting
        .map_err(|_| cannot(format!("no answer within {} s", CONNECTING.as_secs())))?
        .map_err(|error| cannot(error.to_string()))
}

/// Refuses a database on which anybody of us is connected, at this moment.
pub(super) async fn nobody_else_is_there(server: &Server) -> Result<(), StoreError> {
    let mut conn = connect(server).await?;
    let mut others: i64 = 0;
    let leaving = async {
        loop {
            others = sqlx::query_scalar(OTHERS).fetch_one(&mut conn).await?;
            if others == 0 {
                return Ok::<_, StoreError>(());
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    };
    let left = tokio::time::timeout(LEAVING, leaving).await;
    conn.close().await?;
    match left {
        Ok(looked) => looked,
        Err(_) => Err(StoreError::Served { place: server.to_string(), sessions: others }),
    }
}

async fn probe(server: &Server, conn: &mut AnyConnection) -> Result<(), StoreError> {
    let (read_only, commits): (String, String) = sqlx::query_as(
        "SELECT current_setting('transaction_read_only'), current_setting('synchronous_commit')",
    )
    .fetch_one(conn)
    .await?;
    if read_only == "on" {
        return Err(StoreError::Standby { place: server.to_string() });
    }
    keeps_what_it_acknowledges(server, &commits)
}

/// Refuses a server whose `synchronous_commit` is off.
pub(super) fn keeps_what_it_acknowledges(server: &Server, commits: &str) -> Result<(), StoreError> {
    match commits {
        "off" => Err(StoreError::Forgetful { place: server.to_string() }),
        _ => Ok(()),
    }
}

/// Connections for the lists of a desk that serves. Neither a standby nor what was the primary once
/// is asked: it may be behind what this desk has answered already.
pub(super) async fn readers(server: &Server) -> Result<AnyPool, StoreError> {
    let (made_for, kept_for) = (server.primary().clone(), server.primary().clone());
    let readers = pool()
        .after_connect(move |conn, _| Box::pin(must_be(made_for.clone(), conn)))
        .test_before_acquire(false)
        .before_acquire(move |conn, known| {
            let newer = kept_for.had_been_found(known.age);
            Box::pin(async move { Ok(newer && is_still_there(conn).await) })
        });
    open_pool(readers, server).await
}

async fn must_be(primary: Primary, conn: &mut AnyConnection) -> Result<(), sqlx::Error> {
    let name: String = sqlx::query_scalar(NAME).fetch_one(conn).await?;
    if primary.is_named(&name) {
        Ok(())
    } else {
        Err(sqlx::Error::Configuration("it is not the server that is written to".into()))
    }
}

async fn is_still_there(conn: &mut AnyConnection) -> bool {
    matches!(tokio::time::timeout(STILL_THERE, conn.ping()).await, Ok(Ok(())))
}

/// Connections for a command that only looks; a standby will do.
pub(super) async fn readers_to_look(server: &Server) -> Result<AnyPool, StoreError> {
    open_pool(pool(), server).await
}

fn pool() -> AnyPoolOptions {
    AnyPoolOptions::new().max_connections(READERS).acquire_timeout(CONNECTING)
}

async fn open_pool(pool: AnyPoolOptions, server: &Server) -> Result<AnyPool, StoreError> {
    pool.connect(server.url())
        .await
        .map_err(|error| StoreError::Place { place: server.to_string(), why: error.to_string() })
}

/// For whoever migrates nothing: what is there must be exactly what we know.
pub(super) async fn check(conn: &mut AnyConnection) -> Result<(), StoreError> {
    schema::check(&schema::postgres(), conn).await
}

/// What an operator should know about how safe a commit is on this server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Safety {
    /// `on`, `remote_apply`, `remote_write` or `local`.
    pub synchronous_commit: String,
    pub fsync: String,
    pub full_page_writes: String,
    /// Standbys that must have a commit before it is acknowledged.
    pub synchronous_standbys: i64,
}

/// Asks a server how safe its commits are.
pub async fn safety(server: &Server) -> Result<Safety, StoreError> {
    let mut conn = connect(server).await?;
    let (synchronous_commit, fsync, full_page_writes): (String, String, String) = sqlx::query_as(
        "SELECT current_setting('synchronous_commit'), current_setting('fsync'),
                current_setting('full_page_writes')",
    )
    .fetch_one(&mut conn)
    .await?;
    // Without the right to look at the standbys their state is NULL, and none is counted.
    let synchronous_standbys = sqlx::query_scalar(
        "SELECT COUNT(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')",
    )
    .fetch_one(&mut conn)
    .await?;
    conn.close().await?;
    Ok(Safety { synchronous_commit, fsync, full_page_writes, synchronous_standbys })
}
