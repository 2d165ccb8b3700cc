//! Connections that only read, beside the writer: people's lists must not make clicks wait.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx::{AnyPool, Executor};
use tokio::sync::{OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

use super::conn::{Common, End, Here};
use super::{Conn, StoreError};

/// On Postgres every statement of a plain transaction would see a state of its own.
const ONE_STATE: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
/// How many read a file at once.
const READERS: u32 = 4;

#[derive(Clone)]
pub(super) enum Readers {
    /// Of a file. What the desk asks while it serves are single rows and short pages, by their keys:
    /// the thread that asks reads them from memory sooner than it could hand them to another.
    File(Arc<Shelf>),
    Server(AnyPool),
}

impl Readers {
    pub(super) fn of_file(path: &Path) -> Result<Self, StoreError> {
        let open = |_| Ok(Arc::new(Slot::new(Here::open_to_read(path)?)));
        let readers = Mutex::new((0..READERS).map(open).collect::<Result<_, StoreError>>()?);
        let free = Arc::new(Semaphore::new(READERS as usize));
        Ok(Self::File(Arc::new(Shelf { readers, free })))
    }

    /// A connection for one statement.
    pub(super) async fn one(&self, common: Arc<Common>) -> Result<Conn, StoreError> {
        let end = match self {
            Self::File(shelf) => End::Lent(shelf.lend().await?),
            Self::Server(pool) => End::Reader(pool.acquire().await.map_err(gone)?),
        };
        Ok(Conn::new(end, common))
    }

    /// A connection whose statements all see the same state.
    pub(super) async fn snapshot(&self, common: Arc<Common>) -> Result<Conn, StoreError> {
        match self {
            Self::File(_) => {
                let mut conn = self.one(common).await?;
                conn.execute(sqlx::raw_sql("BEGIN")).await?;
                Ok(conn)
            }
            Self::Server(pool) => {
                let begun = pool.begin_with(ONE_STATE).await.map_err(gone)?;
                Ok(Conn::new(End::Snapshot(begun), common))
            }
        }
    }

    /// Waits for whoever still reads; nobody can from then on.
    pub(super) async fn close(&self) {
        match self {
            Self::File(shelf) => shelf.close().await,
            Self::Server(pool) => pool.close().await,
        }
    }
}

fn gone(error: sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::PoolClosed => StoreError::Closed,
        error => error.into(),
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
