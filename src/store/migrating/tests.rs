//! An upgrade beside somebody who reads, and somebody who writes.

use sqlx::AssertSqlSafe;

use super::*;
use crate::base::RandomIds;
use crate::store::Rehearsal;

/// As the first version for several processes made it.
const OLDER: i64 = 3;
/// Much longer than anybody is to wait.
const PATIENCE: Duration = Duration::from_secs(20);

struct Scene {
    server: Rehearsal,
    reader: AnyConnection,
}

impl Scene {
    /// A schema of an older version, and somebody who has begun to read it.
    async fn opens() -> Self {
        let server = std::env::var("COUNTERSIGN_TEST_POSTGRES").expect("it names a server");
        let server = Rehearsal::on(&server, &RandomIds).await.expect("a database");
        let mut desk = AnyConnection::connect(&server.url()).await.expect("connected");
        says(&mut desk, "DROP SCHEMA public CASCADE; CREATE SCHEMA public").await;
        schema::postgres().run_to(OLDER, &mut desk).await.expect("an older schema");
        let mut reader = AnyConnection::connect(&server.url()).await.expect("connected");
        says(&mut reader, "BEGIN; SELECT id FROM runs").await;
        Self { server, reader }
    }

    /// Waits until somebody waits for what the reader holds.
    async fn somebody_waits(&self) {
        let mut looking = self.connected().await;
        while count(&mut looking, "SELECT COUNT(*) FROM pg_locks WHERE NOT granted").await == 0 {}
    }

    async fn connected(&self) -> AnyConnection {
        AnyConnection::connect(&self.server.url()).await.expect("connected")
    }
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn a_deadlock_with_somebody_who_reads_stops_no_upgrade() {
    let mut scene = Scene::opens().await;
    let mut desk = scene.connected().await;
    let reading = async {
        scene.somebody_waits().await;
        // The upgrade has changed the notices by now, so each would wait for the other.
        let read = sqlx::raw_sql("SELECT id FROM notices").execute(&mut scene.reader).await;
        says(&mut scene.reader, "COMMIT").await;
        read
    };
    let both = async { tokio::join!(migrate(&mut desk), reading) };
    let (upgraded, read) = tokio::time::timeout(PATIENCE, both).await.expect("in time");
    upgraded.expect("it is upgraded");
    assert!(read.is_ok(), "whoever reads goes first: {read:?}");
}

#[tokio::test]
#[ignore = "it needs a Postgres server: scripts/test starts one"]
async fn desks_go_on_writing_while_an_upgrade_waits_for_somebody_who_reads_for_long() {
    let mut scene = Scene::opens().await;
    let [mut desk, mut writer] = [scene.connected().await, scene.connected().await];
    let gave_way = attempt(&mut desk).await;
    assert!(matches!(gave_way, Err(StoreError::Busy)), "{gave_way:?}");
    // The upgrade rests now, and leaves its connection alone. Nobody who writes waits for it.
    let turn = "BEGIN; SET LOCAL lock_timeout = '300ms'; SELECT one FROM desk_turn FOR UPDATE;
                DELETE FROM notices; COMMIT";
    says(&mut writer, turn).await;
    says(&mut scene.reader, "COMMIT").await;
    migrate(&mut desk).await.expect("it is upgraded");
    let newest = count(&mut writer, "SELECT MAX(version) FROM _sqlx_migrations").await;
    assert!(newest > OLDER);
}

async fn says(conn: &mut AnyConnection, words: &str) {
    let said = sqlx::raw_sql(AssertSqlSafe(words.to_owned())).execute(conn).await;
    said.expect("it is understood");
}

async fn count(conn: &mut AnyConnection, question: &'static str) -> i64 {
    sqlx::query_scalar(question).fetch_one(conn).await.expect("a number")
}
