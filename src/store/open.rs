//! Opening the database: one process writes, any number read.

use std::cmp::Ordering;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use futures::future::BoxFuture;
use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use sqlx::any::AnyPoolOptions;
use sqlx::migrate::MigrateError;
use sqlx::pool::PoolConnection;
use sqlx::{Any, AnyConnection, AnyPool, Connection, Executor};

use super::events::Feed;
use super::lock::FileLock;
use super::rows::instant;
use super::writer::Writer;
use super::{StoreError, Tx};
use crate::base::{Clock, Ids, SystemClock};

/// The oldest SQLite without a known way to lose or damage a write-ahead log.
const OLDEST_SQLITE: &str = "3.51.3";
/// Readers beside the writer: people's lists must not make clicks wait.
const READERS: u32 = 4;

static SCHEMA: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// The desk's memory. Cheap to clone; every clone is the same store.
#[derive(Clone)]
pub struct Store {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) feed: Feed,
    readers: AnyPool,
    /// Absent when the store was opened for reading only.
    writer: Option<Writer>,
    turnstile: Option<Arc<dyn Turnstile>>,
}

/// Stands before and behind every transaction of a store that was put [behind](Store::behind) it.
/// It says which error a caller meets instead of the transaction, or instead of its answer: so a
/// simulator decides who goes next, and what a database would do that fails.
pub trait Turnstile: Send + Sync {
    fn before(&self) -> BoxFuture<'static, Result<(), StoreError>>;

    /// It is committed. An error is what the caller hears instead.
    fn after(&self) -> BoxFuture<'static, Result<(), StoreError>>;
}

impl Store {
    /// Opens `sqlite://path` for reading and writing, creates it when it is not there and brings
    /// its schema up to date. Refuses a file that another process has open for writing, and one
    /// that a newer version of us wrote.
    pub async fn open(
        url: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let path = path_of(url)?;
        let lock = FileLock::take(&path)?;
        let unclean = left_unclean(&path);
        let mut conn = connect(&path, "rwc").await?;
        check_version(&mut conn).await?;
        for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
            conn.execute(pragma).await?;
        }
        if unclean {
            check_pages(&mut conn).await?;
        }
        SCHEMA.run(&mut conn).await.map_err(schema_error)?;
        Self::writing(&path, conn, clock, ids, Some(lock)).await
    }

    /// Opens an existing database for a single command of the operator, beside a desk that may be
    /// running: each transaction takes its turn with the desk's, whose loops find what it changed.
    pub async fn open_beside(
        url: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let path = path_of(url)?;
        let mut conn = connect(&path, "rw").await?;
        check_version(&mut conn).await?;
        check_schema(&mut conn).await?;
        conn.execute("PRAGMA synchronous = FULL").await?;
        Self::writing(&path, conn, clock, ids, None).await
    }

    async fn writing(
        path: &Path,
        mut conn: AnyConnection,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        lock: Option<FileLock>,
    ) -> Result<Self, StoreError> {
        let newest: Option<i64> =
            sqlx::query_scalar("SELECT MAX(at) FROM audit_heads").fetch_one(&mut conn).await?;
        let now = clock.now().max(instant(newest.unwrap_or_default()));
        let tx = Tx { conn, now, ids, told: Vec::new() };
        let feed = Feed::default();
        let writer = Writer::start(tx, clock.clone(), feed.clone(), lock)
            .map_err(|error| StoreError::Thread(error.to_string()))?;
        Ok(Self {
            clock,
            feed,
            readers: readers(path).await?,
            writer: Some(writer),
            turnstile: None,
        })
    }

    /// Opens an existing database for reading, beside a process that may be writing.
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let path = path_of(url)?;
        let readers = readers(&path).await?;
        let mut conn = readers.acquire().await?;
        check_version(&mut conn).await?;
        check_schema(&mut conn).await?;
        drop(conn);
        Ok(Self {
            clock: Arc::new(SystemClock),
            feed: Feed::default(),
            readers,
            writer: None,
            turnstile: None,
        })
    }

    /// The same store, as somebody sees it who has to pass a turnstile with every transaction.
    pub fn behind(&self, turnstile: Arc<dyn Turnstile>) -> Self {
        Self { turnstile: Some(turnstile), ..self.clone() }
    }

    /// Finishes what was asked and closes. Later calls get [`StoreError::Closed`].
    pub async fn close(&self) {
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }

    /// Can it still read and write? For the readiness check.
    pub async fn healthy(&self) -> Result<(), StoreError> {
        self.reader().await?.ping().await?;
        match &self.writer {
            Some(_) => self.write(|_| Box::pin(async { Ok(()) })).await,
            None => Ok(()),
        }
    }

    /// Runs one transaction; see [`Writer::write`].
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let writer = self.writer.as_ref().ok_or(StoreError::ReadOnly)?;
        let Some(turnstile) = &self.turnstile else { return writer.write(work).await };
        turnstile.before().await?;
        let written = writer.write(work).await?;
        turnstile.after().await?;
        Ok(written)
    }

    /// A connection that can only read, for one statement.
    pub(crate) async fn reader(&self) -> Result<PoolConnection<Any>, StoreError> {
        match self.readers.acquire().await {
            Ok(conn) => Ok(conn),
            Err(sqlx::Error::PoolClosed) => Err(StoreError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Several statements that must see the same state.
    pub(crate) async fn snapshot(&self) -> Result<sqlx::Transaction<'static, Any>, StoreError> {
        match self.readers.begin().await {
            Ok(snapshot) => Ok(snapshot),
            Err(sqlx::Error::PoolClosed) => Err(StoreError::Closed),
            Err(error) => Err(error.into()),
        }
    }
}

fn path_of(url: &str) -> Result<PathBuf, StoreError> {
    let unknown = || StoreError::Url { url: url.to_owned() };
    let rest = url.strip_prefix("sqlite:").ok_or_else(unknown)?;
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path.contains(':') || path.contains('?') {
        return Err(unknown());
    }
    Ok(PathBuf::from(path))
}

/// SQLite removes its write-ahead log when the last connection closes; a crash leaves it.
fn left_unclean(path: &Path) -> bool {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    Path::new(&log).metadata().is_ok_and(|log| log.len() > 0)
}

async fn connect(path: &Path, mode: &str) -> Result<AnyConnection, StoreError> {
    AnyConnection::connect(&driver_url(path, mode)).await.map_err(|error| StoreError::File {
        path: path.display().to_string(),
        why: error.to_string(),
    })
}

fn driver_url(path: &Path, mode: &str) -> String {
    let path = percent_encode(path.as_os_str().as_encoded_bytes(), NON_ALPHANUMERIC);
    format!("sqlite:{path}?mode={mode}")
}

async fn readers(path: &Path) -> Result<AnyPool, StoreError> {
    AnyPoolOptions::new().max_connections(READERS).connect(&driver_url(path, "ro")).await.map_err(
        |error| StoreError::File { path: path.display().to_string(), why: error.to_string() },
    )
}

async fn check_version(conn: &mut AnyConnection) -> Result<(), StoreError> {
    let found: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(conn).await?;
    let number = |version: &str| -> Vec<u32> {
        version.split('.').map(|part| part.parse().unwrap_or_default()).collect()
    };
    if number(&found) < number(OLDEST_SQLITE) {
        return Err(StoreError::OldSqlite { found, needed: OLDEST_SQLITE });
    }
    Ok(())
}

/// A reader migrates nothing, so what it finds must be exactly what it knows.
async fn check_schema(conn: &mut AnyConnection) -> Result<(), StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::Migration(format!("it is no database of ours: {error}")))?;
    let known = SCHEMA.iter().map(|migration| migration.version).max();
    match found.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::NewerSchema(format!("it has migration {found:?}"))),
        Ordering::Less => {
            Err(StoreError::Migration("an older version wrote it; start `serve` once".to_owned()))
        }
    }
}

/// After an unclean stop every page is looked at once, before anything is built on them.
async fn check_pages(conn: &mut AnyConnection) -> Result<(), StoreError> {
    let said: String = sqlx::query_scalar("PRAGMA quick_check(1)").fetch_one(conn).await?;
    if said == "ok" { Ok(()) } else { Err(StoreError::damaged("database file", said)) }
}

fn schema_error(error: MigrateError) -> StoreError {
    match error {
        MigrateError::VersionMissing(version) => {
            StoreError::NewerSchema(format!("it has migration {version}"))
        }
        other => StoreError::Migration(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_name_one_file() {
        for (url, path) in [
            ("sqlite://countersign.db", "countersign.db"),
            ("sqlite:///var/lib/desk.db", "/var/lib/desk.db"),
            ("sqlite:desk.db", "desk.db"),
        ] {
            assert_eq!(path_of(url).unwrap(), Path::new(path), "{url}");
        }
        for url in ["", "sqlite:", "sqlite::memory:", "postgres://desk", "sqlite://a.db?mode=ro"] {
            assert!(matches!(path_of(url), Err(StoreError::Url { .. })), "{url}");
        }
    }
}
