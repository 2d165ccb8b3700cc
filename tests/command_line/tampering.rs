//! Whatever somebody does to the database's file, `verify` says so and names the invariant.

use std::path::Path;

use countersign::audit::Record;
use countersign::base::{Timestamp, WorkspaceId};
use sqlx::Connection;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::bench::Desk;
use crate::evidence::anchor;
use crate::program::{Ran, run};
use crate::readable::readable;

/// What is done, as SQL, and what `verify` must say of it.
const TAMPERING: &[(&str, &str, &str)] = &[
    (
        "an audit body is edited",
        "UPDATE audit SET body = replace(body, 'checked with the bank', 'checked with my bank')",
        "I6 at T0DEMO:[n]: it was changed after it was written",
    ),
    (
        "the last records are cut off",
        "DELETE FROM audit WHERE seq > (SELECT max(seq) - 3 FROM audit)",
        "I6 at T0DEMO: the log does not end where its head says",
    ),
    (
        "the head is taken away",
        "DELETE FROM audit_heads",
        "I6 at T0DEMO: the log does not end where its head says",
    ),
    (
        "a record is taken out",
        "DELETE FROM audit WHERE seq = 7",
        "I6 at T0DEMO:[n]: the record 7 before it is missing",
    ),
    (
        "two records change places",
        "UPDATE audit SET seq = -5 WHERE seq = 5; UPDATE audit SET seq = 5 WHERE seq = 6;
         UPDATE audit SET seq = 6 WHERE seq = -5",
        "I6 at T0DEMO:[n]: it does not follow the record before it",
    ),
    (
        "a record's time is moved back",
        "UPDATE audit SET at = 1 WHERE seq = 5",
        "I20 at T0DEMO:[n]: it is older than the record before it",
    ),
    (
        "the timers of a pending request are deleted",
        "DELETE FROM timers WHERE done_at IS NULL",
        "I4 at req: it is pending and no timer ends its stage",
    ),
    (
        "a timer of an ended request is revived",
        "UPDATE timers SET done_at = NULL",
        "I10 at req: it has ended and still has a live timer",
    ),
    (
        "the card of a pending request dies",
        "UPDATE cards SET state = 'dead'",
        "I14 at req: it is pending, and nobody was or will be shown it",
    ),
    (
        "an execution's envelope is changed",
        "UPDATE executions SET envelope = replace(envelope, '640', '9640')",
        "I1 at exe: what it is to run is not what was approved",
    ),
    (
        "so is the request's",
        "UPDATE executions SET envelope = replace(envelope, '640', '9640');
         UPDATE requests SET envelope = replace(envelope, '640', '9640')",
        "I1 at req: its envelope is damaged: its digest is another one",
    ),
    (
        "what must happen once has begun twice",
        "UPDATE executions SET attempts = 2 WHERE retry_class = 'once'",
        "I5 at exe: it was begun more than once, and its tool can neither be repeated nor asked",
    ),
    (
        "a beginning is denied",
        "UPDATE executions SET attempts = 0, started_at = NULL WHERE retry_class = 'once'",
        "I6 at exe: its beginnings and the log's do not match",
    ),
    (
        "the requester votes",
        "UPDATE votes SET body = json_set(body, '$.by.person',
           (SELECT person FROM requests WHERE id = votes.request_id))",
        "I7 at req: the requester decided on their own request",
    ),
    (
        "one person votes twice",
        "INSERT INTO votes SELECT request_id, 'per_nobody', workspace, 2, body, evidence, digest, at
           FROM votes",
        "I7 at req: one person voted twice",
    ),
    (
        "a pending request is approved without votes",
        "UPDATE requests SET outcome = 'approved',
           decision = (SELECT decision FROM requests WHERE outcome = 'approved')
         WHERE outcome IS NULL",
        "I1 at req: it is approved without a quorum of votes",
    ),
    (
        "and with them, but not in the log",
        "INSERT INTO votes SELECT (SELECT id FROM requests WHERE outcome IS NULL),
           person, workspace, seq, body, evidence, digest, at
           FROM votes WHERE body LIKE '%checked with the bank%';
         UPDATE requests SET outcome = 'approved',
           decision = (SELECT decision FROM requests WHERE outcome = 'approved')
         WHERE outcome IS NULL",
        "I2 at req: the log does not hold exactly one end of it",
    ),
    (
        "the votes for an approval are deleted",
        "DELETE FROM votes WHERE body LIKE '%\"approve\"%'",
        "I1 at req: it is approved without a quorum of votes",
    ),
    (
        "the vote for a rejection is deleted",
        "DELETE FROM votes WHERE body LIKE '%\"reject\"%'",
        "I1 at req: it is rejected and nobody rejected it",
    ),
    (
        "a no becomes a yes",
        "UPDATE votes SET body = replace(body, '\"reject\"', '\"approve\"');
         UPDATE requests SET outcome = 'approved',
           decision = replace(decision, '\"rejected\"', '\"approved\"') WHERE outcome = 'rejected'",
        "I6 at req: its votes are not those in the log",
    ),
    (
        "a rejection becomes an expiry",
        "UPDATE requests SET outcome = 'expired' WHERE outcome = 'rejected'",
        "I2 at req: its outcome is not the one of its decision",
    ),
    (
        "a decision gets another reason",
        "UPDATE requests SET decision = replace(decision, 'way back', 'way home')",
        "I6 at req: its decision is not the one in the log",
    ),
    (
        "an approval is moved past the deadline",
        "UPDATE requests SET decision = json_set(decision, '$.at', 4102444800000)
         WHERE outcome = 'approved'",
        "I1 at req: it was approved after its deadline",
    ),
    (
        "a quorum is lowered",
        "UPDATE requests SET terms = replace(terms, '\"quorum\":1', '\"quorum\":0')",
        "I6 at req: its terms are not those in the log",
    ),
    (
        "a result is rewritten",
        "UPDATE executions SET note = replace(note, '640', '64') WHERE note LIKE '%640%'",
        "I6 at exe: its result is not the one in the log",
    ),
    (
        "an approval is taken back after the start",
        "UPDATE requests SET outcome = NULL, decision = NULL WHERE outcome = 'approved'",
        "I1 at exe: it has started without an approval",
    ),
    (
        "a start is moved past the end of its approval",
        "UPDATE executions SET start_by = started_at",
        "I1 at exe: it started after its approval had lapsed",
    ),
    (
        "a request is deleted",
        "DELETE FROM requests WHERE outcome = 'rejected'",
        "I6 at req: the log knows this request, and it is gone",
    ),
    (
        "an execution is deleted",
        "DELETE FROM executions WHERE retry_class = 'once'",
        "I6 at exe: the log knows this execution, and it is gone",
    ),
    (
        "an execution ends anew",
        "UPDATE executions SET state = 'started', ended_at = NULL WHERE retry_class = 'once'",
        "I6 at exe: the log does not hold exactly one end of it",
    ),
    (
        "a waiting run's question is answered by hand",
        "UPDATE interrupts SET answer = '{}', answered_at = 1 WHERE answer IS NULL",
        "I15 at run: it waits although every question has an answer",
    ),
    (
        "a finished run's answer is taken away",
        "UPDATE interrupts SET answer = NULL, answered_at = NULL, consumed_at = NULL",
        "I15 at run: it is done and a question of its own was never answered",
    ),
];

async fn change(database: &Path, sql: &'static str) {
    let mut intruder = intrude(database).await;
    let done = sqlx::raw_sql(sql).execute(&mut intruder).await.unwrap();
    assert!(done.rows_affected() > 0, "nothing was changed by {sql}");
    intruder.close().await.unwrap();
}

async fn intrude(database: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(database).foreign_keys(false);
    SqliteConnection::connect_with(&options).await.unwrap()
}

async fn verify(database: &Path, anchors: &[&str]) -> Ran {
    let url = format!("sqlite://{}", database.display());
    let mut args = vec!["verify", "--database", &url];
    args.extend(anchors.iter().flat_map(|anchor| ["--anchor", anchor]));
    run(Path::new("."), &args, &[]).await
}

/// A violation without the id or the number of its row.
fn plain(violation: &str) -> String {
    let id = regex::Regex::new(r"(req|exe|run)_[0-9a-f]{32}|(T0DEMO:)\d+").unwrap();
    id.replace(violation, |found: &regex::Captures<'_>| match found.get(1) {
        Some(kind) => kind.as_str().to_owned(),
        None => "T0DEMO:[n]".to_owned(),
    })
    .into_owned()
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
            .unwrap();
    let (mut last, mut before) = (0, "0".repeat(64));
    for (workspace, seq, at, kind, subject, body) in rows {
        let mut record = Record {
            workspace: WorkspaceId::existing(workspace),
            seq: seq.try_into().unwrap(),
            at: Timestamp::from_millis(at),
            kind,
            subject,
            body,
            prev_hash: before,
            hash: String::new(),
        };
        record.hash = record.computed_hash();
        sqlx::query("UPDATE audit SET prev_hash = $1, hash = $2 WHERE seq = $3")
            .bind(&record.prev_hash)
            .bind(&record.hash)
            .bind(seq)
            .execute(&mut intruder)
            .await
            .unwrap();
        (last, before) = (seq, record.hash);
    }
    let head = sqlx::query("UPDATE audit_heads SET seq = $1, hash = $2").bind(last).bind(before);
    head.execute(&mut intruder).await.unwrap();
    intruder.close().await.unwrap();
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
