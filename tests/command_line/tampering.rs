//! Whatever somebody does to the database's file, `verify` says so and names the invariant.

use std::path::{Path, PathBuf};

use countersign::audit::Record;
use countersign::base::{Span, Timestamp, WorkspaceId};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::bench::Desk;
use crate::deeds::TAMPERING;
use crate::evidence::anchor;
use crate::program::{Ran, run};
use crate::readable::readable;

/// Changes a database behind everybody's back.
pub async fn change(database: &Path, sql: &'static str) {
    let mut intruder = intrude(database).await;
    let done = sqlx::raw_sql(sql).execute(&mut intruder).await.expect("good SQL");
    assert!(done.rows_affected() > 0, "nothing was changed by {sql}");
    intruder.close().await.expect("it closes");
}

/// The one number that a query gives.
pub async fn count(database: &Path, sql: String) -> i64 {
    let mut intruder = intrude(database).await;
    let found = sqlx::query_scalar(sqlx::AssertSqlSafe(sql)).fetch_one(&mut intruder).await;
    intruder.close().await.expect("it closes");
    found.expect("good SQL")
}

async fn intrude(database: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.expect("the database opens")
}

pub async fn verify(database: &Path, anchors: &[&str]) -> Ran {
    let url = format!("sqlite://{}", database.display());
    let mut args = vec!["verify", "--database", &url];
    args.extend(anchors.iter().flat_map(|anchor| ["--anchor", anchor]));
    run(Path::new("."), &args, &[]).await
}

/// A violation without the id or the number of its row.
fn plain(violation: &str) -> String {
    let id = regex::Regex::new(r"(req|exe|run)_[0-9a-f]{32}|(T0DEMO:)\d+").expect("a good pattern");
    id.replace(violation, |found: &regex::Captures<'_>| match found.get(1) {
        Some(kind) => kind.as_str().to_owned(),
        None => "T0DEMO:[n]".to_owned(),
    })
    .into_owned()
}

/// What `verify` says of a copy of a desk's database that somebody has changed.
pub async fn after(desk: &Desk, sql: &'static str) -> Ran {
    let copy = copied(desk).await;
    change(&copy, sql).await;
    verify(&copy, &[]).await
}

/// A copy of a desk's database, in the place of an earlier one.
pub async fn copied(desk: &Desk) -> PathBuf {
    let copy = desk.database().with_file_name("changed.db");
    let mut source = intrude(&desk.database()).await;
    for ending in ["", "-wal", "-shm"] {
        let mut file = copy.clone().into_os_string();
        file.push(ending);
        let _ = std::fs::remove_file(file);
    }
    let into = sqlx::AssertSqlSafe(format!("VACUUM INTO '{}'", copy.display()));
    sqlx::query(into).execute(&mut source).await.expect("it is copied");
    source.close().await.expect("it closes");
    copy
}

#[tokio::test]
async fn each_kind_of_tampering_is_named() {
    let desk = Desk::with_a_past().await;
    let database = desk.database();
    let folder = desk.close().await;
    let clean = verify(&database, &[]).await;
    assert_eq!(clean.code, 0, "{}", clean.all());
    for (nth, &(what, sql, wanted)) in TAMPERING.iter().enumerate() {
        let copy = folder.path().join(format!("copy-{nth}.db"));
        std::fs::copy(&database, &copy).unwrap();
        change(&copy, sql).await;
        let ran = verify(&copy, &[]).await;
        assert_eq!(ran.code, 1, "{what}: {}", ran.all());
        assert_eq!(ran.out, "", "{what}");
        let found: Vec<String> = ran.err.lines().map(plain).collect();
        assert!(found.iter().any(|line| line == wanted), "{what}: no `{wanted}` in {found:#?}");
    }
    assert_eq!(verify(&database, &[]).await.code, 0, "the original is as it was");
}

/// Writes every hash anew, so that the chain holds again.
async fn rebuild_chain(database: &Path) {
    let mut intruder = intrude(database).await;
    type Row = (String, i64, i64, String, String, String);
    let rows: Vec<Row> =
        sqlx::query_as("SELECT workspace, seq, at, kind, subject, body FROM audit ORDER BY seq")
            .fetch_all(&mut intruder)
            .await
            .expect("readable");
    let (mut last, mut before) = (0, "0".repeat(64));
    for (workspace, seq, at, kind, subject, body) in rows {
        let mut record = Record {
            workspace: WorkspaceId::existing(workspace),
            seq: seq.try_into().expect("a number"),
            at: Timestamp::from_millis(at),
            kind,
            subject,
            body,
            prev_hash: before,
            hash: String::new(),
            reduced_by: None,
        };
        record.hash = record.computed_hash();
        sqlx::query("UPDATE audit SET prev_hash = $1, hash = $2 WHERE seq = $3")
            .bind(&record.prev_hash)
            .bind(&record.hash)
            .bind(seq)
            .execute(&mut intruder)
            .await
            .expect("writable");
        (last, before) = (seq, record.hash);
    }
    let head = sqlx::query("UPDATE audit_heads SET seq = $1, hash = $2").bind(last).bind(before);
    head.execute(&mut intruder).await.expect("writable");
    intruder.close().await.expect("it closes");
}

/// A chain by itself cannot show that it was rebuilt from scratch. An anchor kept outside can.
#[tokio::test]
async fn only_an_anchor_shows_a_tail_that_was_cut_off_or_a_chain_that_was_rebuilt() {
    let desk = Desk::with_a_past().await;
    desk.runs(&["stop", "--reason", "an outage"]).await;
    let anchor = anchor(&desk.runs(&["verify"]).await.out);
    let database = desk.database();
    let folder = desk.close().await;
    for (nth, sql) in [
        "DELETE FROM audit WHERE kind = 'switch.stopped'",
        "UPDATE audit SET body = replace(body, 'an outage', 'a holiday')",
    ]
    .into_iter()
    .enumerate()
    {
        let copy = folder.path().join(format!("copy-{nth}.db"));
        std::fs::copy(&database, &copy).unwrap();
        assert_eq!(verify(&copy, &[&anchor]).await.code, 0);
        change(&copy, sql).await;
        rebuild_chain(&copy).await;
        assert_eq!(verify(&copy, &[]).await.code, 0, "a limit that the documents admit");
        let ran = verify(&copy, &[&anchor]).await;
        insta::assert_snapshot!(format!("verify_anchor_{nth}"), readable(&ran.shown()));
    }
}

/// Has Lena have approved in the place of Jonas, and says in the log that this is what the retention left.
async fn rewrite_as_reduced(database: &Path, kept: Span) {
    let mut intruder = intrude(database).await;
    let lena = "replace(replace(COLUMN, 'JONAS', 'LENA'), 'Jonas', 'Lena')";
    for (table, column) in
        [("votes", "person"), ("votes", "body"), ("requests", "decision"), ("audit", "body")]
    {
        let lena = lena.replace("COLUMN", column);
        let sql = format!("UPDATE {table} SET {column} = {lena} WHERE {column} LIKE '%JONAS%'");
        let only = if table == "audit" { " AND kind = 'request.approved'" } else { "" };
        let sql = sqlx::AssertSqlSafe(format!("{sql}{only}"));
        sqlx::raw_sql(sql).execute(&mut intruder).await.expect("good SQL");
    }
    let (last, at, prev_hash): (i64, i64, String) =
        sqlx::query_as("SELECT seq, at, hash FROM audit_heads")
            .fetch_one(&mut intruder)
            .await
            .expect("a head");
    let changed: (i64, i64, String, String, String) = sqlx::query_as(
        "SELECT seq, at, kind, subject, body FROM audit
         WHERE kind = 'request.approved' AND body LIKE '%LENA%'",
    )
    .fetch_one(&mut intruder)
    .await
    .expect("the approval");
    let seq = |seq: i64| u64::try_from(seq).expect("a number");
    let workspace = WorkspaceId::existing("T0DEMO");
    let changed = Record {
        workspace: workspace.clone(),
        seq: seq(changed.0),
        at: Timestamp::from_millis(changed.1),
        kind: changed.2,
        subject: changed.3,
        body: changed.4,
        prev_hash: String::new(),
        hash: String::new(),
        reduced_by: None,
    };
    let at = Timestamp::from_millis(at);
    let left = serde_json::json!([[changed.seq, changed.hash_of_rest()]]);
    let body = serde_json::json!({
        "before": at.minus(kept), "count": 1, "left": left, "salt": "0", "what": "requests",
    });
    let mut told = Record {
        seq: seq(last + 1),
        at,
        kind: "desk.reduced".to_owned(),
        subject: "T0DEMO".to_owned(),
        body: body.to_string(),
        prev_hash,
        ..changed.clone()
    };
    told.hash = told.computed_hash();
    sqlx::query("UPDATE audit SET reduced_by = $1 WHERE kind = 'request.approved' AND seq = $2")
        .bind(last + 1)
        .bind(i64::try_from(changed.seq).expect("a number"))
        .execute(&mut intruder)
        .await
        .expect("writable");
    sqlx::query("INSERT INTO audit VALUES ($1, $2, $3, $4, $5, $6, $7, $8, NULL)")
        .bind(workspace.as_str())
        .bind(last + 1)
        .bind(at.as_millis())
        .bind(told.kind)
        .bind(told.subject)
        .bind(told.body)
        .bind(told.prev_hash)
        .bind(told.hash)
        .execute(&mut intruder)
        .await
        .expect("writable");
    intruder.close().await.expect("it closes");
}

/// An anchored record keeps its hash when it is reduced, so that alone does not show what was made of it.
#[tokio::test]
async fn what_was_rewritten_as_reduced_is_seen() {
    let desk = Desk::with_a_past().await;
    let anchor = anchor(&desk.runs(&["verify"]).await.out);
    for (kept, said) in [
        (Span::minutes(0), "it takes for old what is younger than a week"),
        (Span::minutes(8 * 24 * 60), "it is reduced, and it was not old"),
    ] {
        let copy = copied(&desk).await;
        rewrite_as_reduced(&copy, kept).await;
        let ran = verify(&copy, &[&anchor]).await;
        assert_eq!(ran.code, 1, "{}", ran.all());
        let whole = "the retention is said to have reduced it, and what it tells of is whole";
        assert!(ran.err.contains(said) && ran.err.contains(whole), "{}", ran.err);
        assert_eq!(ran.err.lines().filter(|line| line.starts_with("I")).count(), 2, "{}", ran.err);
    }
}
