use std::fs::{self, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::{Arc, mpsc};

use super::PageCheck;
use crate::base::{RandomIds, SystemClock, WorkspaceId};
use crate::store::mark::Mark;
use crate::store::open::Purpose;
use crate::store::{Store, StoreError, sqlite};

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

/// The same, with a page that nobody reads damaged: as long as every start looks, every start finds it.
async fn left_damaged(file: &Path) {
    left_after_a_crash(file).await;
    let pages = fs::metadata(file).unwrap().len() / PAGE;
    let mut database = OpenOptions::new().write(true).open(file).unwrap();
    database.seek(SeekFrom::Start((pages - 2) * PAGE)).unwrap();
    database.write_all(&[0xFF; 64]).unwrap();
}

fn left_a_log(file: &Path) -> bool {
    file.with_file_name("desk.db-wal").exists()
}

async fn is_found_damaged(file: &Path) {
    let store = opens(file).await;
    let found = store.is_sound().await;
    assert!(matches!(found, Err(StoreError::Damaged { .. })), "{found:?}");
    store.close().await;
    assert!(!left_a_log(file), "the log is folded, as ever");
}

/// A look that stands still in the middle of a file until it is told to go on.
struct Standing {
    look: PageCheck,
    goes_on: mpsc::Sender<()>,
}

impl Standing {
    fn begins(file: &Path) -> Self {
        let (begins, begun) = mpsc::channel();
        let (goes_on, told) = mpsc::channel();
        let rest = move || {
            let _ = begins.send(());
            let _ = told.recv();
        };
        let look = PageCheck::start_resting(file, Mark::of(file), rest).unwrap();
        begun.recv().expect("it is not over before it rests");
        Self { look, goes_on }
    }
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
    assert!(!Mark::of(&file).is_there());
    let store = opens(&file).await;
    assert!(store.check.is_none(), "not after a clean end");
    store.close().await;
}

#[tokio::test]
async fn a_damaged_page_is_found_although_nobody_has_read_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_damaged(&file).await;
    is_found_damaged(&file).await;
    assert!(Mark::of(&file).is_there());
    is_found_damaged(&file).await;
}

/// Whoever closes the desk does not wait for the look, and the next desk begins it again.
#[tokio::test]
async fn closing_ends_the_look_and_leaves_it_to_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_after_a_crash(&file).await;
    let mut store = opens(&file).await;
    store.check.as_ref().unwrap().close().await;
    let Standing { look, goes_on } = Standing::begins(&file);
    let look = Arc::new(look);
    store.check = Some(look.clone());
    tokio::join!(store.close(), async { drop(goes_on) });
    assert!(matches!(look.ends().await, Err(StoreError::Closed)), "it has not seen everything");
    assert!(!left_a_log(&file), "the log is gone");
}

#[tokio::test]
async fn a_look_that_did_not_come_to_its_end_is_begun_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_damaged(&file).await;
    let store = opens(&file).await;
    store.close().await;
    assert!(!left_a_log(&file), "nothing else says that the last stop was unclean");
    is_found_damaged(&file).await;
}

/// As when Slack does not answer: the process ends, and has folded the log.
#[tokio::test]
async fn a_start_that_came_to_nothing_leaves_the_look_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_damaged(&file).await;
    drop(sqlite::open(&file, Purpose::Work).await.unwrap());
    is_found_damaged(&file).await;
}

#[tokio::test]
async fn a_command_beside_a_desk_that_died_leaves_the_look_to_the_next_desk() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_damaged(&file).await;
    let url = format!("sqlite://{}", file.display());
    let beside = Store::open_beside(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await;
    beside.unwrap().close().await;
    assert!(!left_a_log(&file), "it was folded");
    is_found_damaged(&file).await;
}

/// As with any program for SQLite that opens the file, or that was reading it when the desk died.
#[tokio::test]
async fn whoever_folds_the_log_of_a_desk_that_died_the_next_start_looks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    let store = opens(&file).await;
    let died = folder.path().join("died.db");
    for end in ["", "-wal", ".unchecked"] {
        let named = |file: &Path| format!("{}{end}", file.display());
        fs::copy(named(&file), named(&died)).unwrap();
    }
    store.close().await;
    let somebody = rusqlite::Connection::open(&died).unwrap();
    somebody.execute_batch("SELECT COUNT(*) FROM runs").unwrap();
    drop(somebody);
    assert!(!died.with_file_name("died.db-wal").exists(), "it was folded");
    let store = opens(&died).await;
    assert!(store.check.is_some());
    store.close().await;
}

/// What is folded before it is marked could be forgotten in between.
#[tokio::test]
async fn what_cannot_be_marked_is_not_folded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    left_after_a_crash(&file).await;
    fs::create_dir(folder.path().join("desk.db.unchecked")).unwrap();
    let url = format!("sqlite://{}", file.display());
    let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
    let opened = Store::open(&url, clock.clone(), ids.clone()).await.map(drop);
    assert!(matches!(opened, Err(StoreError::Place { .. })), "{opened:?}");
    let beside = Store::open_beside(&url, clock, ids).await.map(drop);
    assert!(matches!(beside, Err(StoreError::Place { .. })), "{beside:?}");
    assert!(left_a_log(&file));
}

/// A commit that fails, as on a disk that does.
async fn breaks(store: &Store) {
    let orphan = "INSERT INTO interrupts VALUES ('no run', 'one', 'T1', '{}', NULL, 0, NULL, NULL)";
    let broke = store
        .write(move |tx| {
            Box::pin(async move {
                // Else the statement would fail by itself, and not the commit.
                sqlx::Executor::execute(&mut tx.conn, "PRAGMA defer_foreign_keys = ON").await?;
                sqlx::Executor::execute(&mut tx.conn, orphan).await?;
                Ok(())
            })
        })
        .await;
    assert!(matches!(broke, Err(StoreError::Unknown)), "{broke:?}");
}

/// The disk took a commit or not, and nobody can say which: also the next start cannot.
#[tokio::test]
async fn a_desk_that_broke_is_looked_at_by_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    let store = opens(&file).await;
    breaks(&store).await;
    store.close().await;
    assert!(!left_a_log(&file), "nothing else says so");
    let store = opens(&file).await;
    assert!(store.check.is_some());
    store.close().await;
}

/// The desk knows nothing of it, and closes in good order.
#[tokio::test]
async fn a_command_that_broke_beside_a_desk_leaves_a_look_to_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    let store = opens(&file).await;
    let url = format!("sqlite://{}", file.display());
    let beside = Store::open_beside(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await;
    let beside = beside.unwrap();
    breaks(&beside).await;
    beside.close().await;
    store.close().await;
    assert!(!left_a_log(&file), "nothing else says so");
    let store = opens(&file).await;
    assert!(store.check.is_some());
    store.is_sound().await.unwrap();
    store.close().await;
    assert!(!Mark::of(&file).is_there(), "it was looked at");
}

/// A commit that fails while a look goes on: what the look has found says nothing of it.
#[test]
fn no_look_that_began_before_takes_back_that_a_desk_broke() {
    let folder = tempfile::tempdir().unwrap();
    let mark = Mark::of(&folder.path().join("desk.db"));
    mark.set().unwrap();
    mark.waits_for_a_look();
    mark.set_for_the_next_start().unwrap();
    mark.was_looked_at();
    mark.was_closed().unwrap();
    assert!(mark.is_there());
}

impl Store {
    /// A store whose file is looked at, and whose look stands still until it is told to go on.
    pub(crate) fn in_the_middle_of_a_look(mut self, file: &Path) -> (Self, mpsc::Sender<()>) {
        let Standing { look, goes_on } = Standing::begins(file);
        self.check = Some(Arc::new(look));
        (self, goes_on)
    }
}
