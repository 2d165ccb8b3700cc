use std::fs::{self, File};
use std::sync::Arc;

use super::*;

/// More than the log has before it is folded.
const MUCH: &str = "INSERT INTO much VALUES (randomblob(17000000))";

#[test]
fn the_operator_is_told_of_a_log_that_cannot_be_folded() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("desk.db");
    let made = "PRAGMA journal_mode = WAL; CREATE TABLE much (bytes BLOB)";
    Connection::open(&file).unwrap().execute_batch(made).unwrap();
    let log = folder.path().join("log");
    let said = || fs::read_to_string(&log).unwrap();
    let writer = Arc::new(File::create(&log).unwrap());
    let subscriber = tracing_subscriber::fmt().with_writer(writer).finish();
    let here = Here::open(&file).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        here.conn.execute_batch(MUCH).unwrap();
        assert_eq!(said(), "", "it is folded");
        // A connection that is still reading folds nothing.
        let mut reading =
            here.conn.prepare("SELECT length(bytes) FROM much UNION ALL SELECT 2").unwrap();
        let mut rows = reading.query(()).unwrap();
        rows.next().unwrap();
        here.conn.execute_batch(MUCH).unwrap();
    });
    let said = said();
    assert!(said.contains("ERROR") && said.contains("the log cannot be folded"), "{said}");
}
