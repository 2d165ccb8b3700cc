//! Connections that only read, beside the writer: people's lists must not make clicks wait.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sqlx::{AnyPool, Executor};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::conn::{Common, End, Here};
use super::reader::Reader;
use super::{Conn, StoreError};
use crate::base::Haste;

/// How many read a file at once.
const READERS: u32 = 4;

#[derive(Clone)]
pub(super) enum Readers {
    /// Of a file. What the desk asks while it serves are single rows and short pages, by their keys:
    /// the thread that asks reads them from memory sooner than it could hand them to another.
    File(Arc<Shelf>),
    Server(Connections),
}

/// The connections to a server: one is kept for whoever pressed a button.
#[derive(Clone)]
pub(super) struct Connections {
    pub(super) pool: AnyPool,
    /// How long the server may take to answer.
    patience: Duration,
    /// For all that has time.
    in_turn: Arc<Semaphore>,
}

impl Connections {
    pub(super) fn new(pool: AnyPool, patience: Duration) -> Self {
        let in_turn = pool.options().get_max_connections().saturating_sub(1).max(1);
        Self { pool, patience, in_turn: Arc::new(Semaphore::new(in_turn as usize)) }
    }

    async fn acquire(&self, haste: Haste) -> Result<Reader, StoreError> {
        let place = match haste {
            Haste::Ahead => None,
            Haste::InTurn => Some(self.place().await?),
        };
        match self.pool.acquire().await {
            Ok(conn) => Ok(Reader::new(conn, self.patience, place)),
            Err(sqlx::Error::PoolClosed) => Err(StoreError::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits for it no longer than for a connection.
    async fn place(&self) -> Result<OwnedSemaphorePermit, StoreError> {
        let patience = self.pool.options().get_acquire_timeout();
        match tokio::time::timeout(patience, self.in_turn.clone().acquire_owned()).await {
            Ok(place) => place.map_err(|_| StoreError::Closed),
            Err(_) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }
}

impl Readers {
    pub(super) fn of_file(path: &Path) -> Result<Self, StoreError> {
        let open = |_| Ok(Arc::new(Slot::new(Here::open_to_read(path)?)));
        let readers = Mutex::new((0..READERS).map(open).collect::<Result<_, StoreError>>()?);
        let free = Arc::new(Semaphore::new(READERS as usize));
        Ok(Self::File(Arc::new(Shelf { readers, free })))
    }

    /// Looks at a server that may take so long to answer.
    pub(super) fn of_server(pool: AnyPool, patience: Duration) -> Self {
        Self::Server(Connections::new(pool, patience))
    }

    /// A connection for one statement.
    pub(super) async fn one(&self, common: Arc<Common>) -> Result<Conn, StoreError> {
        let end = match self {
            Self::File(shelf) => End::Lent(shelf.lend().await?),
            Self::Server(connections) => End::Reader(connections.acquire(Haste::InTurn).await?),
        };
        Ok(Conn::new(end, common))
    }

    /// A connection whose statements all see the same state.
    pub(super) async fn snapshot(
        &self,
        haste: Haste,
        common: Arc<Common>,
    ) -> Result<Conn, StoreError> {
        match self {
            Self::File(_) => {
                let mut conn = self.one(common).await?;
                conn.execute(sqlx::raw_sql("BEGIN")).await?;
                Ok(conn)
            }
            Self::Server(connections) => {
                let reader = connections.acquire(haste).await?.sees_one_state().await?;
                Ok(Conn::new(End::Reader(reader), common))
            }
        }
    }

    /// Waits for whoever still reads; nobody can from then on.
    pub(super) async fn close(&self) {
        match self {
            Self::File(shelf) => shelf.close().await,
            Self::Server(connections) => connections.pool.close().await,
        }
    }
}

/// Held by whoever reads with it.
type Slot = tokio::sync::Mutex<Here>;

/// The readers of a file, and permits for as many.
pub(super) struct Shelf {
    readers: Mutex<Vec<Arc<Slot>>>,
    free: Arc<Semaphore>,
}

impl Shelf {
    async fn lend(&self) -> Result<Lent, StoreError> {
        let permit = self.free.clone().acquire_owned().await.map_err(|_| StoreError::Closed)?;
        // Whoever has a permit finds one that nobody holds.
        let here = self.readers().iter().find_map(|slot| slot.clone().try_lock_owned().ok());
        Ok(Lent { here: here.ok_or(StoreError::Closed)?, _permit: permit })
    }

    /// The last to close the file folds its log into it, which a reader cannot: so all are closed.
    async fn close(&self) {
        if let Ok(_all) = self.free.acquire_many(READERS).await {
            self.free.close();
            self.readers().clear();
        }
    }

    fn readers(&self) -> MutexGuard<'_, Vec<Arc<Slot>>> {
        // Each use is one step; a panic elsewhere leaves nothing half done in it.
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A reader that goes back by itself, out of its transaction.
#[derive(Debug)]
pub(super) struct Lent {
    pub(super) here: OwnedMutexGuard<Here>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.here.rest();
    }
}
