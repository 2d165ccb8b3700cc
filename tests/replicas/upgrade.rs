//! A new version beside the one before it: each replica is replaced while people work at both, and
//! whatever one of them began the other goes on with. `scripts/upgrade COMMIT` builds the older one.

use std::os::unix::fs::PermissionsExt;

use sqlx::Connection;

use crate::failover::ALONE;
use crate::failover::server::Server;
use crate::office::{Office, Start};
use crate::reckoning;
use crate::traffic::Traffic;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs an older version: scripts/upgrade builds it"]
async fn an_older_version_and_this_one_work_together_until_it_is_replaced() {
    let older = std::env::var("COUNTERSIGN_TEST_OLDER").expect("scripts/upgrade names it");
    let older = Start { binary: older.into(), ..Start::default() };
    let _alone = ALONE.lock().await;
    sqlx::any::install_default_drivers();
    let folder = tempfile::tempdir().unwrap();
    let anybody = std::fs::Permissions::from_mode(0o777);
    std::fs::set_permissions(folder.path(), anybody).unwrap();
    // Its own server: the older version makes the schema, and this one brings it up to date.
    let server = Server::founded(folder.path()).await;
    let store = format!("postgres://desk@127.0.0.1:{}/postgres", server.port);
    let mut office = Office::opens_with(&store, &[], vec![older; 2]).await;
    let traffic = Traffic::begins(&office.slack);
    office.payments_go_on(4).await;
    for nth in [1, 0] {
        office.replaces(nth, &Start::default()).await;
        office.payments_go_on(6).await;
    }
    traffic.nobody_writes_any_more();
    let mut desk = server.asks().await.unwrap();
    reckoning::nothing_is_lost_or_doubled(&office, &mut desk).await;
    desk.close().await.unwrap();
    traffic.ends().await;
    let logs = office.logs();
    assert!(!logs.contains("ERROR") && !logs.contains("panicked"), "{logs}");
    office.closes().await;
}
