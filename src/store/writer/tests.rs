use std::sync::Arc;

use sqlx::Executor;

use crate::base::{RandomIds, SystemClock};
use crate::store::{Store, StoreError};

/// Four pages a row, as checkpoints may have: together far more than a savepoint's journal is ever
/// meant to hold in memory.
const ROWS: i64 = 500;

async fn every_row_says(store: &Store, word: &'static str) -> Result<(), StoreError> {
    store
        .write(move |tx| {
            Box::pin(async move {
                let statement = "/* every row */ UPDATE large SET bytes = $1 || zeroblob(16000)";
                sqlx::query(statement).bind(word).execute(&mut tx.conn).await?;
                if word == "no" { Err(StoreError::NotFound("a reason")) } else { Ok(()) }
            })
        })
        .await
}

async fn saying(store: &Store, word: &'static str) -> i64 {
    let question = "SELECT count(*) FROM large WHERE substr(bytes, 1, length($1)) = $1";
    let mut reader = store.reader().await.expect("a reader");
    sqlx::query_scalar(question).bind(word).fetch_one(&mut reader).await.expect("a number")
}

#[tokio::test]
async fn a_job_may_change_thousands_of_pages_and_is_kept_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("desk.db").display());
    let store = Store::open(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await.expect("open");
    let filled = store.write(|tx| {
        Box::pin(async move {
            tx.conn.execute("CREATE TABLE large (bytes BLOB NOT NULL)").await?;
            let rows =
                "WITH RECURSIVE nth (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM nth WHERE n < $1)
                        INSERT INTO large SELECT zeroblob(16010) FROM nth";
            sqlx::query(rows).bind(ROWS).execute(&mut tx.conn).await?;
            Ok(())
        })
    });
    filled.await.expect("filled");
    every_row_says(&store, "yes").await.expect("it is kept");
    assert_eq!(saying(&store, "yes").await, ROWS);
    assert!(matches!(every_row_says(&store, "no").await, Err(StoreError::NotFound(_))));
    assert_eq!((saying(&store, "yes").await, saying(&store, "no").await), (ROWS, 0));
    store.close().await;
}

/// A tool of the operator's, or whatever copies the file elsewhere, writes for longer than we wait.
#[tokio::test]
async fn a_file_that_somebody_else_writes_to_for_long_is_only_busy() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("desk.db");
    let url = format!("sqlite://{}", file.display());
    let store = Store::open(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await.expect("open");
    let somebody = rusqlite::Connection::open(&file).expect("it opens");
    somebody.execute_batch("BEGIN IMMEDIATE").expect("nobody else writes");
    let refused = store.healthy().await;
    assert!(matches!(refused, Err(StoreError::Busy)), "{refused:?}");
    somebody.execute_batch("COMMIT").expect("nothing to write");
    store.healthy().await.expect("and it goes on");
    store.close().await;
}
