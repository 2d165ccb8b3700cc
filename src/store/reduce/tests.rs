//! People wait while something is looked for that is old, so nothing is looked through for it.

use std::sync::Arc;

use sqlx::Row;

use super::{lesser, requests, runs};
use crate::base::{RandomIds, SystemClock};
use crate::store::Store;

#[tokio::test]
async fn nothing_is_read_from_one_end_to_the_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("desk.db").display());
    let store =
        Store::open(&url, Arc::new(SystemClock), Arc::new(RandomIds)).await.expect("a store");
    let mut conn = store.reader().await.expect("a reader");
    for question in [requests::OLD, runs::OLD, lesser::NOTICES, lesser::DELIVERIES] {
        let plan = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {question}"));
        let plan = sqlx::query(plan).fetch_all(&mut conn).await.expect("a plan");
        let steps: Vec<String> = plan.iter().map(|step| step.get("detail")).collect();
        let bad = |step: &String| {
            let by_workspace_alone = step.contains("SEARCH") && step.ends_with("(workspace=?)");
            step.contains("SCAN") || step.contains("TEMP B-TREE") || by_workspace_alone
        };
        assert!(!steps.iter().any(bad), "{question}: {steps:#?}");
    }
    drop(conn);
    store.close().await;
}
