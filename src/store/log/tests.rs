use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::base::{RandomIds, SystemClock};
use crate::store::Store;

fn url(file: &Path) -> String {
    format!("sqlite://{}", file.display())
}

async fn opens(file: &Path) -> Store {
    let opened = Store::open(&url(file), Arc::new(SystemClock), Arc::new(RandomIds)).await;
    opened.expect("it opens")
}

/// What a crash leaves is what is there while somebody has it open.
async fn crashes(folder: &Path, names: [&str; 2]) -> [PathBuf; 2] {
    let store = opens(&folder.join("first")).await;
    for end in ["", "-wal"] {
        for copy in names {
            let copied = |name: &str| folder.join(format!("{name}{end}"));
            fs::copy(copied("first"), copied(copy)).expect("a copy");
        }
    }
    store.close().await;
    let crashed = names.map(|name| folder.join(name));
    assert!(crashed.iter().all(|file| was_left(file)));
    crashed
}

#[tokio::test]
async fn what_a_crash_left_in_the_log_is_written_anew_before_anything_follows() {
    let folder = tempfile::tempdir().expect("a folder");
    let [served, beside] = crashes(folder.path(), ["served", "beside"]).await;
    let desk = opens(&served).await;
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let command = Store::open_beside(&url(&beside), clock, ids).await.expect("beside");
    assert!(!was_left(&served) && !was_left(&beside));
    for store in [desk, command] {
        store.close().await;
    }
}

/// One who began to read before the crash keeps the log from being folded, and may read for ever.
#[tokio::test]
async fn a_desk_starts_although_somebody_reads_and_does_not_stop() {
    let folder = tempfile::tempdir().expect("a folder");
    let [file, _] = crashes(folder.path(), ["desk", "other"]).await;
    let reader = rusqlite::Connection::open(&file).expect("a reader");
    reader.execute_batch("BEGIN; SELECT COUNT(*) FROM runs").expect("it reads");
    // Somebody went on before the crash.
    let dying = rusqlite::Connection::open(&file).expect("a desk");
    let later = "INSERT INTO switches VALUES ('T1', 0, 'somebody', '', 0)";
    dying.execute_batch(later).expect("it writes");
    let before = fs::read(of(&file)).expect("a log");
    let desk = opens(&file).await;
    desk.is_sound().await.expect("every page is looked at");
    assert!(fs::read(of(&file)).expect("a log").starts_with(&before), "it goes on");
    let known: i64 = sqlx::query_scalar("SELECT COUNT(*) FROM switches")
        .fetch_one(&mut desk.reader().await.expect("another reader"))
        .await
        .expect("a number");
    assert_eq!(known, 1);
    desk.healthy().await.expect("it writes");
    desk.close().await;
    reader.execute_batch("COMMIT").expect("it reads to its end");
}

#[test]
fn a_log_that_is_written_anew_is_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("desk.db-wal");
    let bytes: Vec<u8> = (0..2 * PART + 17).map(|nth| nth.to_le_bytes()[0]).collect();
    fs::write(&log, &bytes).expect("writable");
    write_anew(&log).expect("it is written");
    assert!(fs::read(&log).expect("readable") == bytes);
}
