//! The schema's migrations: one set for each database, with the same numbers.

use std::cmp::Ordering;

use sqlx::AnyConnection;
use sqlx::migrate::{MigrateError, Migrator};

use super::StoreError;
use crate::base::failpoint::{self, Point};

pub(super) fn sqlite() -> Migrator {
    sqlx::migrate!("migrations/sqlite")
}

/// The migrator's own lock belongs to a session, which a pooler may hand to somebody else in the
/// middle; whoever runs these holds a lock of a transaction instead.
pub(super) fn postgres() -> Migrator {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    migrator.set_locking(false);
    migrator
}

/// All steps belong into one transaction of the caller's: what is begun is done whole or not at all,
/// and whoever it fails for can go back to the version they had.
pub(super) async fn bring_up_to_date(
    schema: &Migrator,
    conn: &mut AnyConnection,
) -> Result<(), StoreError> {
    schema.run(conn).await.map_err(|error| match error {
        MigrateError::VersionMissing(version) => {
            StoreError::NewerSchema(format!("it has migration {version}"))
        }
        MigrateError::Execute(cause) | MigrateError::ExecuteMigration(cause, _)
            if are_others_in_the_way(&cause) =>
        {
            StoreError::Busy
        }
        other => StoreError::Migration(other.to_string()),
    })?;
    failpoint::reach(Point::SchemaWritten);
    Ok(())
}

/// Somebody held a lock for too long, or waited for one of ours.
fn are_others_in_the_way(cause: &sqlx::Error) -> bool {
    let told = cause.as_database_error().and_then(|told| told.code());
    told.is_some_and(|code| matches!(code.as_ref(), "55P03" | "40P01"))
}

/// For whoever migrates nothing: what is there must be exactly what we know.
pub(super) async fn check(schema: &Migrator, conn: &mut AnyConnection) -> Result<(), StoreError> {
    let found: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
        .fetch_one(conn)
        .await
        .map_err(|error| StoreError::Migration(format!("it is no database of ours: {error}")))?;
    let known = schema.iter().map(|migration| migration.version).max();
    match found.cmp(&known) {
        Ordering::Equal => Ok(()),
        Ordering::Greater => Err(StoreError::NewerSchema(format!("it has migration {found:?}"))),
        Ordering::Less => {
            Err(StoreError::Migration("an older version wrote it; start `serve` once".to_owned()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_databases_have_the_same_migrations() {
        let numbers = |schema: Migrator| -> Vec<(i64, String)> {
            schema.iter().map(|step| (step.version, step.description.to_string())).collect()
        };
        assert_eq!(numbers(sqlite()), numbers(postgres()));
    }
}
