//! A page is damaged that nobody reads but the look at all of them.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use anyhow::Context;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor};
use tokio::time::timeout;

use super::{BOUND, Scene, card, told_in};
use crate::database::look_at;

/// So much that a look takes longer than to begin what is approved.
const BALLAST: &str = "CREATE TABLE ballast (bytes BLOB NOT NULL);
WITH RECURSIVE nth (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM nth WHERE n < 160)
INSERT INTO ballast SELECT randomblob(1048576) FROM nth";
/// As much of a page as a disk may lose at once.
const SECTOR: usize = 512;
const PAGE: u64 = 4096;

/// What is approved is not done on a file that nobody has looked at. The desk says what is wrong and
/// closes, as often as it is started, until the file is whole again.
pub async fn damages_a_page_while_the_desk_is_dead() -> anyhow::Result<()> {
    told_in("damaged", async |folder| {
        let scene = Scene::opens(folder).await?;
        let database = scene.house.file();
        anyhow::ensure!(scene.house.open().await?.stop().await?.success(), "it is founded");
        let mut conn = SqliteConnectOptions::new().filename(&database).connect().await?;
        conn.execute(sqlx::raw_sql(BALLAST)).await?;
        conn.close().await?;

        let mut desk = scene.house.start_told("ClickCommitted:kill:1")?;
        anyhow::ensure!(scene.house.is_open(&mut desk).await?, "it opens");
        let (mia, jonas) = scene.mia_and_jonas();
        mia.writes_to_bot("pay invoice V-1");
        jonas.clicks(&card(&jonas, "V-1").await?, "Approve").await;
        timeout(BOUND, desk.ends()).await.context("it dies of the click")??;
        let whole = Damage::is_done(&database)?;
        for _ in 0..2 {
            let mut desk = scene.house.start()?;
            let ended = timeout(BOUND, desk.ends()).await.context("the desk goes on")??;
            anyhow::ensure!(ended.code() == Some(1), "it ended with {ended}");
        }
        let log = std::fs::read_to_string(scene.house.log())?;
        for words in ["the database is damaged, so the desk closes", "countersign restore"] {
            anyhow::ensure!(log.matches(words).count() == 2, "the operator is not told: {words}");
        }
        anyhow::ensure!(begun(&database).await? == 0, "begun on a damaged file");
        anyhow::ensure!(scene.payments().await? == 0, "paid on a damaged file");
        whole.is_undone(&database)?;
        let desk = scene.house.open().await?;
        scene.ends(desk, 1).await
    })
    .await
}

/// How many actions have begun, whatever became of them.
async fn begun(database: &Path) -> anyhow::Result<i64> {
    let desk = look_at(database).await?;
    let begun = sqlx::query_scalar("SELECT COUNT(*) FROM executions WHERE attempts > 0");
    let begun = begun.fetch_one(&desk).await?;
    desk.close().await;
    Ok(begun)
}

/// What stood where nothing can be read any more.
struct Damage {
    at: u64,
    lost: [u8; SECTOR],
}

impl Damage {
    /// To the last page: of the ballast, which no desk knows of.
    fn is_done(database: &Path) -> anyhow::Result<Self> {
        let file = File::options().read(true).write(true).open(database)?;
        let at = file.metadata()?.len() - PAGE;
        let mut lost = [0; SECTOR];
        file.read_exact_at(&mut lost, at)?;
        file.write_all_at(&[0xFF; SECTOR], at)?;
        Ok(Self { at, lost })
    }

    fn is_undone(&self, database: &Path) -> anyhow::Result<()> {
        Ok(OpenOptions::new().write(true).open(database)?.write_all_at(&self.lost, self.at)?)
    }
}
