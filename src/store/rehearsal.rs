//! A Postgres database of its own for one rehearsal, gone when that is over: for tests, which each
//! want an empty desk, and a hundred of which run on one server.

use std::time::Duration;

use sha2::{Digest, Sha256};
use sqlx::{AnyConnection, AssertSqlSafe, Connection};
use url::Url;

use super::place::masked;
use super::{StoreError, migrating, schema};
use crate::base::Ids;

/// Names the lock of whoever makes the template: "copy" in ASCII.
const COPYING: i64 = 0x636f_7079;
const DROPPING: Duration = Duration::from_secs(10);

/// Dropped together with its database.
#[derive(Debug)]
pub struct Rehearsal {
    server: Url,
    name: String,
}

impl Rehearsal {
    /// Makes a database on a server, of which `server` names any database that is there: a copy of
    /// one that is migrated once.
    pub async fn on(server: &str, ids: &dyn Ids) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let server = Url::parse(server).map_err(|_| StoreError::Url { url: masked(server) })?;
        let mut conn = AnyConnection::connect(server.as_str()).await?;
        let template = template(&server, &mut conn).await?;
        let name = format!("countersign_{}", ids.unique());
        let make = format!("CREATE DATABASE {name} TEMPLATE {template}");
        sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut conn).await?;
        conn.close().await?;
        Ok(Self { server, name })
    }

    /// What to write under `store`.
    pub fn url(&self) -> String {
        named(&self.server, &self.name)
    }
}

impl Drop for Rehearsal {
    fn drop(&mut self) {
        let server = self.server.to_string();
        let unmake = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        // Whoever drops it may be in the middle of an executor, which cannot wait.
        let dropping = std::thread::spawn(move || {
            let executor = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            executor.block_on(async {
                let work = async {
                    let mut conn = AnyConnection::connect(&server).await?;
                    sqlx::raw_sql(AssertSqlSafe(unmake)).execute(&mut conn).await
                };
                match tokio::time::timeout(DROPPING, work).await {
                    Ok(Ok(_)) => Ok(()),
                    Ok(Err(error)) => Err(std::io::Error::other(error)),
                    Err(_) => Err(std::io::Error::other("the server does not answer")),
                }
            })
        });
        if let Ok(Err(error)) = dropping.join() {
            tracing::warn!(%error, name = self.name, "a rehearsal's database was left behind");
        }
    }
}

fn named(server: &Url, database: &str) -> String {
    let mut url = server.clone();
    url.set_path(database);
    url.to_string()
}

/// The database that all are copied from; made when it is not there. Its name says what is in it.
async fn template(server: &Url, conn: &mut AnyConnection) -> Result<String, StoreError> {
    let mut seal = Sha256::new();
    for step in schema::postgres().iter() {
        seal.update(&step.checksum);
    }
    let name = format!("countersign_template_{}", &hex::encode(seal.finalize())[..16]);
    sqlx::query("SELECT pg_advisory_lock($1)").bind(COPYING).execute(&mut *conn).await?;
    let known: Option<i64> =
        sqlx::query_scalar("SELECT CAST(1 AS BIGINT) FROM pg_database WHERE datname = $1")
            .bind(&name)
            .fetch_optional(&mut *conn)
            .await?;
    if known.is_none() {
        let unfinished = format!("{name}_unfinished");
        for words in [
            format!("DROP DATABASE IF EXISTS {unfinished}"),
            format!("CREATE DATABASE {unfinished} TEMPLATE template0 ENCODING 'UTF8'"),
        ] {
            sqlx::raw_sql(AssertSqlSafe(words)).execute(&mut *conn).await?;
        }
        let mut inside = AnyConnection::connect(&named(server, &unfinished)).await?;
        migrating::migrate(&mut inside).await?;
        inside.close().await?;
        let rename = format!("ALTER DATABASE {unfinished} RENAME TO {name}");
        sqlx::raw_sql(AssertSqlSafe(rename)).execute(&mut *conn).await?;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)").bind(COPYING).execute(&mut *conn).await?;
    Ok(name)
}
