//! Opening the database: one process writes, any number read.

use std::sync::Arc;

use super::StoreError;
use crate::base::{Clock, Ids};

/// The desk's memory. Cheap to clone; every clone is the same store.
#[derive(Clone)]
pub struct Store {
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
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
        todo!("{url} {} {}", clock.now(), ids.unique())
    }

    /// Opens an existing database for reading, beside a process that may be writing.
    pub async fn open_to_read(url: &str) -> Result<Self, StoreError> {
        todo!("{url}")
    }

    /// Finishes what was asked and closes. Later calls get [`StoreError::Closed`].
    pub async fn close(&self) {
        todo!("{} {}", self.clock.now(), self.ids.unique())
    }

    /// Can it still read and write? For the readiness check.
    pub async fn healthy(&self) -> Result<(), StoreError> {
        todo!()
    }
}
