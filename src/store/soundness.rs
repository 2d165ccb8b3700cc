//! After an unclean stop every page of an SQLite file is looked at once.
//!
//! A crash by itself damages no file that keeps its promises to the disk: what a crash cuts off ends in
//! the write-ahead log, whose frames carry sums of their own. The look is for disks that lie and for
//! files that somebody touched, and it takes as long as the file is large. So it does not keep people
//! waiting: a thread of its own looks while clicks are taken already. No action starts before its end
//! ([`Store::is_sound`]), and a desk that finds damage closes at once.

use std::path::Path;

use rusqlite::{Connection, InterruptHandle, OpenFlags};
use tokio::sync::watch;

use super::{Store, StoreError};

/// The look, under way or over.
pub(super) struct PageCheck {
    handle: InterruptHandle,
    found: watch::Receiver<Option<Result<(), StoreError>>>,
}

impl PageCheck {
    pub(super) fn start(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let conn = Connection::open_with_flags(path, flags)
            .map_err(|error| StoreError::damaged("database file", error))?;
        let handle = conn.get_interrupt_handle();
        let (tell, found) = watch::channel(None);
        std::thread::Builder::new()
            .name("store-check".to_owned())
            .spawn(move || {
                let looked = look(&conn);
                // The last to close the file folds its log into it, which a reader cannot.
                drop(conn);
                tell.send_replace(Some(looked));
            })
            .map_err(|error| StoreError::Thread(error.to_string()))?;
        Ok(Self { handle, found })
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
        self.handle.interrupt();
        // What it says now is of no interest any more.
        let _ = self.ends().await;
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
