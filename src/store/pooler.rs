//! Whether a pooler between us and the server hands its sessions around, and what it keeps then.

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Connection, Executor, Row};

use super::StoreError;
use super::place::Server;
use super::postgres::connect_at_all;
use crate::base::Ids;

/// What a connection is, as far as can be seen from this end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pooling {
    /// A session of the server, as without a pooler.
    BySession,
    /// In each transaction another session, in which the statements that were prepared are found.
    ByTransaction,
    /// The same, and they are not: or what somebody else has prepared is found under their name.
    Forgetful,
}

const WHO: &str = "SELECT pg_backend_pid()";
/// A pooler may hand out its sessions in turns.
const LOOKS: usize = 4;
/// How long it may take to hand out a second session while the first is held. One that has no second
/// lets whoever asks wait for minutes.
const A_SECOND_SESSION: Duration = Duration::from_secs(5);

/// Prepares a statement, makes a pooler choose another session, and looks for it there.
pub async fn pooling(server: &Server, ids: &dyn Ids) -> Result<Pooling, StoreError> {
    let (mut ours, mut other) = (connect_at_all(server).await?, connect_at_all(server).await?);
    // Its own text, so that nobody else's statement can be taken for it.
    let ourselves = ids.unique();
    let statement = format!("SELECT pg_backend_pid(), '{ourselves}'");
    let prepared = async |conn: &mut AnyConnection| {
        let asked = sqlx::query_as::<_, (i32, String)>(AssertSqlSafe(statement.clone()));
        match asked.fetch_one(conn).await {
            Ok((session, whose)) if whose == ourselves => Ok(Some(session)),
            Ok(_) | Err(sqlx::Error::ColumnDecode { .. } | sqlx::Error::Database(_)) => Ok(None),
            Err(error) => Err(StoreError::from(error)),
        }
    };
    let Some(first) = prepared(&mut ours).await? else { return Ok(Pooling::Forgetful) };
    let looking = async {
        // Whoever is in a transaction holds a session; mostly the one that was used last.
        let held = other.begin().await?;
        let mut moved = false;
        for _ in 0..LOOKS {
            let session: i32 = ours.fetch_one(sqlx::raw_sql(WHO)).await?.try_get(0)?;
            moved |= session != first;
        }
        let found = prepared(&mut ours).await?;
        held.rollback().await?;
        Ok::<_, StoreError>((moved, found))
    };
    let looked = tokio::time::timeout(A_SECOND_SESSION, looking).await;
    let one_session = |_| StoreError::OneSession { place: server.to_string() };
    let (moved, found) = looked.map_err(one_session)??;
    for conn in [ours, other] {
        conn.close().await?;
    }
    Ok(match (moved, found) {
        (_, None) => Pooling::Forgetful,
        (true, Some(_)) => Pooling::ByTransaction,
        (false, Some(_)) => Pooling::BySession,
    })
}

/// Refuses what would lose statements, or run somebody else's.
pub(super) async fn keeps_statements(
    server: &Server,
    ids: &dyn Ids,
) -> Result<Pooling, StoreError> {
    match pooling(server, ids).await? {
        Pooling::Forgetful => Err(StoreError::Pooler { place: server.to_string() }),
        keeps @ (Pooling::BySession | Pooling::ByTransaction) => Ok(keeps),
    }
}
