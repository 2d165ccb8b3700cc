//! After an unclean stop every page of an SQLite file is looked at once.
//!
//! A crash by itself damages no file that keeps its promises to the disk: what a crash cuts off ends in
//! the write-ahead log, whose frames carry sums of their own. The look is for disks that lie and for
//! files that somebody touched, and it takes as long as the file is large. So it does not keep people
//! waiting: a thread of its own looks while clicks are taken already. No action starts before its end
//! ([`Store::is_sound`]), and a desk that finds damage closes at once. As long as no look
//! came to its end and found nothing, the [`Mark`] stays, and each start looks again.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::watch;

use super::mark::Mark;
use super::{Store, StoreError};

/// How many steps of SQLite's lie between two questions whether to go on: a few milliseconds' worth.
const STEPS: i32 = 1000;

/// The look, under way or over.
pub(super) struct PageCheck {
    given_up: Arc<AtomicBool>,
    found: watch::Receiver<Option<Result<(), StoreError>>>,
}

impl PageCheck {
    pub(super) fn start(path: &Path, mark: Mark) -> Result<Self, StoreError> {
        Self::start_resting(path, mark, || ())
    }

    /// The same, with a rest now and then.
    fn start_resting(
        path: &Path,
        mark: Mark,
        mut rest: impl FnMut() + Send + 'static,
    ) -> Result<Self, StoreError> {
        let damaged = |error| StoreError::damaged("database file", error);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let conn = Connection::open_with_flags(path, flags).map_err(damaged)?;
        let given_up = Arc::new(AtomicBool::new(false));
        // To interrupt it by a call would do nothing to a look that has not begun yet.
        let told = given_up.clone();
        let gives_up = move || {
            rest();
            told.load(Ordering::SeqCst)
        };
        conn.progress_handler(STEPS, Some(gives_up)).map_err(damaged)?;
        let (tell, found) = watch::channel(None);
        std::thread::Builder::new()
            .name("store-check".to_owned())
            .spawn(move || {
                let looked = look(&conn);
                // The last to close the file folds its log into it, which a reader cannot.
                drop(conn);
                if looked.is_ok() {
                    mark.was_looked_at();
                }
                tell.send_replace(Some(looked));
            })
            .map_err(|error| StoreError::Thread(error.to_string()))?;
        Ok(Self { given_up, found })
    }

    /// What was found, as soon as it is known.
    async fn ends(&self) -> Result<(), StoreError> {
        let mut found = self.found.clone();
        let known = found.wait_for(Option::is_some).await;
        let known = known.map_err(|_| StoreError::Thread("it died while it looked".to_owned()))?;
        known.clone().unwrap_or(Err(StoreError::Closed))
    }

    /// Ends it, whatever it has not seen yet.
    pub(super) async fn close(&self) {
        self.given_up.store(true, Ordering::SeqCst);
        // What it says now is of no interest any more.
        let _ = self.ends().await;
    }
}

/// Nobody waits for what a store finds that is gone.
impl Drop for PageCheck {
    fn drop(&mut self) {
        self.given_up.store(true, Ordering::SeqCst);
    }
}

fn look(conn: &Connection) -> Result<(), StoreError> {
    let said = conn.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0));
    match said {
        Ok(said) if said == "ok" => Ok(()),
        Ok(said) => Err(StoreError::damaged("database file", said)),
        Err(error)
            if error.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) =>
        {
            Err(StoreError::Closed)
        }
        Err(error) => Err(StoreError::damaged("database file", error)),
    }
}

impl Store {
    /// Waits until every page was looked at, if the last stop was unclean; at once otherwise, and on
    /// a server, which looks after its own.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that is wrong.
    pub async fn is_sound(&self) -> Result<(), StoreError> {
        match &self.check {
            Some(check) => check.ends().await,
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
