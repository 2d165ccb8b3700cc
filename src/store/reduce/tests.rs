//! People wait while something is looked for that is old, so nothing is looked through for it.

use std::sync::Arc;

use sqlx::Row;

use super::{held, lesser, requests, runs};
use crate::base::{RandomIds, Span, SystemClock, Timestamp, TurnableClock, WorkspaceId};
use crate::store::{Store, big, events, instant};

#[tokio::test]
async fn nothing_is_read_from_one_end_to_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("desk.db").display());
    let store =
        Store::open(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await.expect("a store");
    let mut conn = store.reader().await.expect("a reader");
    for question in [
        requests::OLD,
        runs::OLD,
        runs::LIVELY,
        lesser::NOTICES,
        lesser::DELIVERIES,
        lesser::LATE,
        held::AT,
        held::SAID,
        events::FORGET,
        events::LAST_OF_MANY,
    ] {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"));
        let plan = sqlx::query(plan).fetch_all(&mut conn).await.expect("a plan");
        let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
        let bad = |step: &String| {
            // What this one asks for is of the workspace itself.
            let by_subject_alone = question == held::SAID && step.ends_with("(subject=?)");
            let by_workspace_alone =
                step.contains("SEARCH") && step.ends_with("(workspace=?)") || by_subject_alone;
            step.contains("SCAN") || step.contains("TEMP B-TREE") || by_workspace_alone
        };
        assert!(!steps.iter().any(bad), "{question}: {steps:#?}");
    }
    drop(conn);
    store.close().await;
}

/// It is found by halving, so it must be the same as by looking at each record, wherever it stands.
#[tokio::test]
async fn the_newest_record_that_is_a_day_old_is_found_in_a_log_of_any_length() {
    const DAY: Span = Span::minutes(24 * 60);
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("desk.db").display());
    let clock = Arc::new(TurnableClock::standing_at(Timestamp::from_millis(1_795_527_000_000)));
    let store = Store::open(&url, clock.clone(), Arc::new(RandomIds)).await.expect("a store");
    let acme = WorkspaceId::existing("T1");
    for length in 0..40 {
        let mut conn = store.snapshot().await.expect("a reader");
        let log: Vec<i64> = sqlx::query_scalar("SELECT at FROM audit ORDER BY seq")
            .fetch_all(&mut conn)
            .await
            .expect("a log");
        assert_eq!(log.len(), length);
        let around = log.iter().flat_map(|at| [at - 1, *at, at + 1]).chain([0, i64::MAX]);
        for at in around.map(instant) {
            let now = at.plus(DAY);
            let found = held::last_seen(&mut conn, &acme, now).await.expect("a log");
            // They are numbered from one, and their time never goes back.
            let old = log.iter().filter(|&&record| instant(record) <= now.minus(DAY)).count();
            assert_eq!(found.map_or(0, |seen| seen.number), big(old), "of {length}, at {at}");
        }
        drop(conn);
        store.opened(&acme, "0.1.0", "a policy").await.expect("a record");
        // Several have one instant, as in a transaction that writes many.
        if length % 3 != 0 {
            clock.turn_forward(Span::seconds(7));
        }
    }
    store.close().await;
}
