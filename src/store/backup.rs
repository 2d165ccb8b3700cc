//! A copy of the database as it stands at one moment, while the desk goes on.

use std::path::Path;

use super::open::Kind;
use super::{Store, StoreError, sqlite};

impl Store {
    /// Writes a copy of an SQLite database to `file`, which must not exist. It is one moment of it,
    /// whatever is written meanwhile, and holds no pages of what was deleted. No desk opens it before
    /// it was restored.
    pub async fn copy_to(&self, file: &Path) -> Result<(), StoreError> {
        let mut conn = self.reader().await?;
        sqlx::query("VACUUM INTO $1").bind(file.display().to_string()).execute(&mut conn).await?;
        sqlite::mark_as_backup(file).await
    }

    /// Looks at every page and every index of an SQLite database. A Postgres server looks after its
    /// own.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] with the first thing that is wrong.
    pub async fn check_every_page(&self) -> Result<(), StoreError> {
        if self.kind == Kind::Postgres {
            return Ok(());
        }
        let mut conn = self.reader().await?;
        let said: String =
            sqlx::query_scalar("PRAGMA integrity_check(1)").fetch_one(&mut conn).await?;
        if said == "ok" { Ok(()) } else { Err(StoreError::damaged("database file", said)) }
    }
}
