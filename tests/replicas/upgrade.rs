//! A new version beside the one before it: each replica is replaced while people work at both, and
//! whatever one of them began the other goes on with. `scripts/upgrade` builds the older one.

use sqlx::Connection;
use tokio::time::Instant;

use crate::failover::server::Server;
use crate::failover::{ALONE, a_folder_for_everybody};
use crate::office::{Office, Start};
use crate::reckoning;
use crate::traffic::Traffic;

const SCHEMA: &str = "SELECT MAX(version) FROM _sqlx_migrations";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs an older version: scripts/upgrade builds it"]
async fn an_older_version_and_this_one_work_together_until_it_is_replaced() {
    let older = std::env::var("COUNTERSIGN_TEST_OLDER").expect("scripts/upgrade names it");
    let older = Start { binary: older.into(), ..Start::default() };
    let newer = Start::default();
    let _alone = ALONE.lock().await;
    sqlx::any::install_default_drivers();
    let folder = a_folder_for_everybody();
    // Its own server: the older version makes the schema, and this one brings it up to date.
    let server = Server::founded(folder.path()).await;
    let store = format!("postgres://desk@127.0.0.1:{}/postgres", server.port);
    let mut office = Office::opens_with(&store, &[], vec![older.clone(); 2]).await;
    let (traffic, began) = (Traffic::begins(&office.slack), Instant::now());
    office.payments_go_on(4).await;
    let before = server.counts(SCHEMA).await;

    office.replaces(1, &newer).await;
    let after = server.counts(SCHEMA).await;
    println!("  the schema went from {before} to {after} under the older one");
    office.payments_go_on(6).await;
    office.everybody_goes_to(0);
    office.payments_go_on(4).await;
    office.everybody_goes_to(1);
    office.payments_go_on(4).await;
    office.everybody_goes_anywhere();
    if after > before {
        let words = office.does_not_open(&older).await;
        assert!(
            words.contains("newer version"),
            "an older one that starts now says why not: {words}"
        );
    }
    // The older one dies with whatever it holds, and the newer one takes that over.
    office.loses_and_replaces(0, &newer).await;
    office.payments_go_on(6).await;

    traffic.nobody_writes_any_more();
    let mut desk = server.asks().await.unwrap();
    reckoning::nothing_is_lost_or_doubled(&office, &mut desk).await;
    desk.close().await.unwrap();
    println!("  {} presses were refused meanwhile", traffic.presses.refused_since(began));
    traffic.ends().await;
    let logs = office.logs();
    assert!(!logs.contains("ERROR") && !logs.contains("panicked"), "{logs}");
    office.closes().await;
}
