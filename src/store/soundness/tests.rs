use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::Arc;

use crate::base::{RandomIds, SystemClock, WorkspaceId};
use crate::store::{Store, StoreError};

/// Pages are that large, and the schema is on the first of them.
const PAGE: u64 = 4096;

async fn opens(file: &Path) -> Store {
    let url = format!("sqlite://{}", file.display());
    Store::open(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await.unwrap()
}

/// A database with a log of three hundred records, closed cleanly, whose next start finds a write-ahead
/// log all the same, as after a crash.
async fn left_after_a_crash(file: &Path) {
    let store = opens(file).await;
    for nth in 0..300 {
        let workspace = WorkspaceId::existing("T1");
        store.opened(&workspace, "0.1.0", &format!("policy {nth:0200}")).await.unwrap();
    }
    store.close().await;
    fs::write(file.with_file_name("desk.db-wal"), [7; 100]).unwrap();
}

#[tokio::test]
async fn a_sound_file_is_found_sound_after_a_crash() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_after_a_crash(&file).await;
    let store = opens(&file).await;
    assert!(store.check.is_some(), "it is looked at");
    store.is_sound().await.unwrap();
    store.close().await;
    assert!(opens(&file).await.check.is_none(), "not after a clean end");
}

#[tokio::test]
async fn a_damaged_page_is_found_although_nobody_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_after_a_crash(&file).await;
    let pages = fs::metadata(&file).unwrap().len() / PAGE;
    let mut database = OpenOptions::new().write(true).open(&file).unwrap();
    database.seek(SeekFrom::Start((pages - 2) * PAGE)).unwrap();
    database.write_all(&[0xFF; 64]).unwrap();
    let store = opens(&file).await;
    let found = store.is_sound().await;
    assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
    store.close().await;
}

/// Whoever closes the desk does not wait for the look, and the log is folded into the file.
#[tokio::test]
async fn closing_ends_the_look() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_after_a_crash(&file).await;
    let store = opens(&file).await;
    store.close().await;
    assert!(!folder.path().join("desk.db-wal").exists(), "the log is gone");
}
