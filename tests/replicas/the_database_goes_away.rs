//! The database goes away in the middle of the day and comes back: nothing is promised meanwhile, and
//! nobody has to restart anything.

use std::time::Duration;

use sqlx::{AnyConnection, AssertSqlSafe, Connection};

use crate::pair::Pair;

/// How soon clicks have to be taken again.
const SOON: Duration = Duration::from_secs(15);

/// Says something to the server about the database of a pair.
async fn say(pair: &Pair, words: &str) {
    let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").unwrap();
    let mut conn = AnyConnection::connect(&server).await.unwrap();
    let words = words.replace("THIS", &pair.database_name());
    sqlx::raw_sql(AssertSqlSafe(words)).execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_click_is_refused_while_it_is_away_and_taken_when_it_is_back() {
    let pair = Pair::opens_with(&[]).await;
    pair.asks("mia", "pay invoice V-7719").await;
    pair.world.settle().await.unwrap();
    let jonas = pair.world.slack.person("jonas");
    let card = jonas.newest_card("#approvals").unwrap();

    say(&pair, "ALTER DATABASE THIS ALLOW_CONNECTIONS false").await;
    say(&pair, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'THIS'")
        .await;
    for _ in 0..2 {
        assert_ne!(jonas.clicks(&card, "Approve").await.status, 200, "nobody could have kept it");
    }
    assert_eq!(pair.world.company.payments("payment").await.unwrap(), 0);

    say(&pair, "ALTER DATABASE THIS ALLOW_CONNECTIONS true").await;
    let pressing = async {
        while jonas.clicks(&card, "Approve").await.status != 200 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(SOON, pressing).await.expect("clicks are taken again");
    pair.both_work().await;
    assert_eq!(pair.world.company.payments("payment").await.unwrap(), 1);
    pair.world.settle().await.unwrap();
    pair.closes().await;
}
