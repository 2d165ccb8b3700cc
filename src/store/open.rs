//! Opening the database.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::conn::{Common, Conn, End};
use super::events::Feed;
use super::hints::{Hint, Hints, Talk};
use super::line::Line;
use super::paces::PaceBook;
use super::place::Place;
use super::pooler::Pooling;
use super::reader::{LOOKING, LOOKING_AT_EVERYTHING};
use super::readers::Readers;
use super::rows::instant;
use super::soundness::PageCheck;
use super::writer::Writer;
use super::{StoreError, Tx, migrating, pooler, postgres, restore, sqlite};
use crate::base::{Clock, Haste, Ids, SystemClock};

/// How many hints may wait to be told to others; the rest is lost, and found by whoever polls.
const HINTS: usize = 1024;

/// The desk's memory. Cheap to clone; every clone is the same store.
#[derive(Clone)]
pub struct Store {
    pub(super) clock: Arc<dyn Clock>,
    pub(super) feed: Feed,
    pub(super) kind: Kind,
    pub(super) paces: PaceBook,
    pub(super) common: Arc<Common>,
    readers: Readers,
    /// Absent when the store was opened for reading only.
    writer: Option<Writer>,
    /// Absent where no other process can hear them.
    hints: Option<Hints>,
    talk: Option<Arc<Talk>>,
    broken: CancellationToken,
    turnstile: Option<Arc<dyn Turnstile>>,
    /// Of a file that was not closed before it was opened.
    pub(super) check: Option<Arc<PageCheck>>,
}

/// Which database it is, where that makes a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// What a database is opened to be written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// A desk, or a command beside it: not on a backup that nobody has put back.
    Work,
    /// What a backup shows as open is to be ended.
    Restore,
}

impl Purpose {
    /// How long a server may take to answer. Who puts a backup back looks at all of it before.
    fn patience(self) -> Duration {
        match self {
            Self::Work => LOOKING,
            Self::Restore => LOOKING_AT_EVERYTHING,
        }
    }
}

/// What a store that writes is made of.
struct Opened {
    kind: Kind,
    end: End,
    line: Line,
    readers: Readers,
    pooling: Pooling,
    check: Option<PageCheck>,
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
    /// Opens `sqlite://path` or `postgres://…` for reading and writing and brings its schema up to
    /// date; a file is created when it is not there. Refuses a file that another process has open
    /// for writing, a server that forgets what it acknowledged, what a newer version of us wrote, and
    /// a backup that nobody has restored.
    pub async fn open(
        url: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        Self::open_for(Purpose::Work, url, clock, ids).await
    }

    async fn open_for(
        purpose: Purpose,
        url: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let opened = match Place::of(url)? {
            Place::Sqlite(path) => {
                let sqlite::Opened { end, lock, mark, check } =
                    sqlite::open(&path, purpose).await?;
                let line = Line::sqlite(Some(lock), mark);
                let (kind, pooling, readers) =
                    (Kind::Sqlite, Pooling::BySession, Readers::of_file(&path)?);
                Opened { kind, end, line, readers, pooling, check }
            }
            Place::Postgres(server) => {
                let pooling = pooler::keeps_statements(&server, ids.as_ref()).await?;
                let mut conn = postgres::connect_to_write(&server).await?;
                migrating::migrate(&mut conn).await?;
                let readers =
                    Readers::of_server(postgres::readers(&server).await?, purpose.patience());
                let (kind, end, line) = (Kind::Postgres, End::Away(conn), Line::postgres(server));
                Opened { kind, end, line, readers, pooling, check: None }
            }
        };
        Self::writing(purpose, opened, clock, ids).await
    }

    /// Opens what a backup was put back to, so that [what is open in it](Store::void_what_was_open) is
    /// ended. No desk may be at work: a file has a lock for that; whom a server sees connected is
    /// refused, and one that comes afterwards is refused from the first transaction on.
    pub async fn open_to_restore(
        url: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        if let Place::Postgres(server) = Place::of(url)? {
            postgres::nobody_else_is_there(&server).await?;
        }
        Self::open_for(Purpose::Restore, url, clock, ids).await
    }

    /// Opens an existing database for a single command of the operator, beside a desk that may be
    /// running: each transaction takes its turn with the desk's, whose loops find what it changed.
    pub async fn open_beside(
        url: &str,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let opened = match Place::of(url)? {
            Place::Sqlite(path) => {
                let (end, mark) = sqlite::open_beside(&path).await?;
                let line = Line::sqlite(None, mark);
                let (kind, pooling, readers) =
                    (Kind::Sqlite, Pooling::BySession, Readers::of_file(&path)?);
                Opened { kind, end, line, readers, pooling, check: None }
            }
            Place::Postgres(server) => {
                let pooling = pooler::keeps_statements(&server, ids.as_ref()).await?;
                let mut conn = postgres::connect_to_write(&server).await?;
                postgres::check(&mut conn).await?;
                let readers =
                    Readers::of_server(postgres::readers(&server).await?, LOOKING_AT_EVERYTHING);
                let (kind, end, line) = (Kind::Postgres, End::Away(conn), Line::postgres(server));
                Opened { kind, end, line, readers, pooling, check: None }
            }
        };
        Self::writing(Purpose::Work, opened, clock, ids).await
    }

    async fn writing(
        purpose: Purpose,
        opened: Opened,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
    ) -> Result<Self, StoreError> {
        let Opened { kind, end, line, readers, pooling, check } = opened;
        let common = Arc::new(Common::default());
        let mut conn = Conn::new(end, common.clone());
        if purpose == Purpose::Work && restore::is_any(&mut conn).await? {
            return Err(StoreError::HalfRestored);
        }
        let newest: Option<i64> =
            sqlx::query_scalar("SELECT MAX(at) FROM audit_heads").fetch_one(&mut conn).await?;
        let newest = instant(newest.unwrap_or_default());
        let now = match kind {
            Kind::Sqlite => clock.now().max(newest),
            // The first turn says what time it is there; our own clock may be ahead of it.
            Kind::Postgres => newest,
        };
        let tx = Tx { conn, now, ahead_by: 0, ids, told: Vec::new() };
        let (mouth, words) = mpsc::channel(HINTS);
        let (feed, hints, talk) = match (line.server(), &readers) {
            (None, _) | (_, Readers::File(_)) => (Feed::default(), None, None),
            // Whoever listens in a session that is handed around has what is said to them told to others,
            // who cannot understand it.
            (Some(_), _) if pooling == Pooling::ByTransaction => {
                (Feed::heard_by(mouth), None, None)
            }
            (Some(server), Readers::Server(connections)) => {
                let feed = Feed::heard_by(mouth.clone());
                let (pool, ids) = (connections.pool.clone(), tx.ids.as_ref());
                let (hints, talk) = Hints::start(server, pool, ids, feed.clone(), words, mouth);
                (feed, Some(hints), Some(Arc::new(talk)))
            }
        };
        let broken = line.broken();
        let writer = Writer::start(tx, line, clock.clone(), feed.clone())
            .map_err(|error| StoreError::Thread(error.to_string()))?;
        Ok(Self {
            clock,
            feed,
            kind,
            paces: PaceBook::of(kind),
            common,
            readers,
            writer: Some(writer),
            hints,
            talk,
            broken,
            turnstile: None,
            check: check.map(Arc::new),
        })
    }

    /// Opens an existing database for reading, beside a process that may be writing.
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        sqlx::any::install_default_drivers();
        let (kind, readers) = match Place::of(url)? {
            Place::Sqlite(path) => {
                sqlite::check(&path).await?;
                (Kind::Sqlite, Readers::of_file(&path)?)
            }
            Place::Postgres(server) => {
                let readers = postgres::readers_to_look(&server).await?;
                postgres::check(&mut *readers.acquire().await?).await?;
                (Kind::Postgres, Readers::of_server(readers, LOOKING_AT_EVERYTHING))
            }
        };
        let clock = Arc::new(SystemClock);
        let feed = Feed::default();
        Ok(Self {
            clock,
            feed,
            kind,
            paces: PaceBook::of(kind),
            common: Arc::default(),
            readers,
            writer: None,
            hints: None,
            talk: None,
            broken: CancellationToken::new(),
            turnstile: None,
            check: None,
        })
    }

    /// The same store, as somebody sees it who has to pass a turnstile with every transaction.
    pub fn behind(&self, turnstile: Arc<dyn Turnstile>) -> Self {
        Self { turnstile: Some(turnstile), ..self.clone() }
    }

    /// Finishes what was asked and closes. Later calls get [`StoreError::Closed`].
    pub async fn close(&self) {
        if let Some(talk) = &self.talk {
            talk.end();
        }
        if let Some(check) = &self.check {
            check.close().await;
        }
        self.readers.close().await;
        if let Some(writer) = &self.writer {
            writer.close().await;
        }
    }

    /// Tells the other processes on this database that there is something to look at.
    pub fn hint(&self, word: &str) {
        if let Some(hints) = &self.hints {
            hints.say(word);
        }
    }

    /// What other processes hint at from now on; nothing where there can be none.
    pub fn hints(&self) -> Option<broadcast::Receiver<Hint>> {
        self.hints.as_ref().map(Hints::listen)
    }

    /// Cancelled when a commit failed on its way to the disk. What the system shows of the file may not
    /// be on the disk then, so nothing is written any more until the store is opened anew.
    pub fn broken(&self) -> &CancellationToken {
        &self.broken
    }

    /// Can it still read and write? For the readiness check.
    pub async fn healthy(&self) -> Result<(), StoreError> {
        sqlx::query("SELECT 1").execute(&mut self.reader().await?).await?;
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

    /// Whether a reader may have asked a server that is the primary no more. It cannot know what it
    /// does not find, so what would be answered with "there is none" is looked for again in a turn.
    pub(super) fn may_be_behind(&self) -> bool {
        self.kind == Kind::Postgres
    }

    /// A connection for one statement that only reads. On SQLite it could do nothing else, so a
    /// stray write shows in every test there.
    pub(crate) async fn reader(&self) -> Result<Conn, StoreError> {
        self.readers.one(self.common.clone()).await
    }

    /// Several statements that must see the same state.
    pub(crate) async fn snapshot(&self) -> Result<Conn, StoreError> {
        self.readers.snapshot(Haste::InTurn, self.common.clone()).await
    }

    /// The same for whoever pressed a button: however many look at lists, they need not wait.
    pub(super) async fn snapshot_ahead(&self) -> Result<Conn, StoreError> {
        self.readers.snapshot(Haste::Ahead, self.common.clone()).await
    }
}
