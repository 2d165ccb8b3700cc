//! What `countersign doctor` says of a server that can be asked: is a commit safe there?

use crate::failover::server::Server;
use crate::failover::{ALONE, a_folder_for_everybody};
use crate::office::{Office, sooner_or_later};
use crate::pair::rehearsal;

const NO_STANDBY: &str = "WARN  no synchronous standby";
const NO_FSYNC: &str = "FAIL  the store's server has fsync = off";
const HALF_PAGES: &str = "FAIL  the store's server has full_page_writes = off";
const FOLLOWERS: &str = "SELECT count(*) FROM pg_stat_replication";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs Postgres's programs: scripts/test names them"]
async fn a_standby_that_comes_and_goes_is_seen() {
    let _alone = ALONE.lock().await;
    sqlx::any::install_default_drivers();
    let folder = a_folder_for_everybody();
    let primary = Server::founded(folder.path()).await;
    let store = format!("postgres://desk@127.0.0.1:{}/postgres", primary.port);
    let office = Office::opens(&store, 1).await;
    let told = tells(&office).await;
    assert!(told.contains(NO_STANDBY), "it is alone: {told}");

    let mut standby = primary.gets_a_standby(folder.path()).await;
    let told = tells(&office).await;
    assert!(!told.contains(NO_STANDBY), "it has a standby: {told}");
    // The servers of these tests do not wait for the disk, and that is not kept quiet either.
    assert!(told.contains(NO_FSYNC) && !told.contains(HALF_PAGES), "{told}");

    standby.stops().await;
    sooner_or_later("it is missed", async || primary.counts(FOLLOWERS).await == 0).await;
    let told = tells(&office).await;
    assert!(told.contains(NO_STANDBY), "it is gone: {told}");
    standby.starts().await;
    sooner_or_later("it is back", async || !tells(&office).await.contains(NO_STANDBY)).await;
    office.closes().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn whatever_a_server_that_is_thrown_away_would_lose_is_told() {
    let server = rehearsal().await;
    let office = Office::opens(&server.url(), 1).await;
    let told = tells(&office).await;
    for trouble in [NO_STANDBY, NO_FSYNC, HALF_PAGES] {
        assert!(told.contains(trouble), "{trouble}: {told}");
    }
    office.closes().await;
}

async fn tells(office: &Office) -> String {
    office.operator(&["doctor"]).await.1
}
