//! A month after people worked with a desk, what they said is reduced. It dies in the middle of that.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use countersign::base::{Clock, Span, SystemClock, Timestamp, TurnableClock};
use countersign::demo::{Setting, World};
use countersign::sandbox::Pace;
use tokio::time::timeout;

use super::case::Case;
use crate::chance::Chance;
use crate::database::Database;
use crate::desk::{House, verify};
use crate::outside::Outside;
use crate::tempo::Tempo;

const MONTH: Span = Span::minutes(30 * 24 * 60);
/// The clock is believed by what the log says of two days ago.
const UNTIL_LATELY: Span = Span::minutes(28 * 24 * 60);
const BOUND: Duration = Duration::from_secs(60);
const RETENTION: &str = "\nretention: { requests: 7d }\n";
/// Whatever of these is left is what should have gone.
const WHOLE: [&str; 5] = [
    "SELECT count(*) FROM requests WHERE reduced_at IS NULL",
    "SELECT count(*) FROM runs WHERE reduced_at IS NULL",
    "SELECT count(*) FROM state_values",
    "SELECT count(*) FROM intake",
    "SELECT count(*) FROM notices",
];

pub async fn play(case: Case, folder: &Path) -> anyhow::Result<()> {
    let database = Database::where_tests_run(folder).await?;
    let (_outside, house) =
        Outside::found_on(database, folder, &Chance::new(1), &Tempo::UNHURRIED).await?;
    people_worked(&house).await?;
    let file = folder.join("countersign.yaml");
    std::fs::write(&file, std::fs::read_to_string(&file)? + RETENTION)?;
    let mut desk = house.start_told(&case.order())?;
    let status = timeout(BOUND, desk.ends()).await.context("its failpoint did not fire")??;
    case.is_proven(status, &std::fs::read_to_string(house.log())?)?;
    let (clean, words) = verify(&house.database).await?;
    anyhow::ensure!(clean, "as it was left: {words}");
    let desk = house.open().await?;
    timeout(BOUND, everything_goes(&house)).await.context("something old stays")??;
    desk.stop().await?;
    let (clean, words) = verify(&house.database).await?;
    anyhow::ensure!(clean, "{words}");
    Ok(())
}

/// Two refunds, one approved and one not, and a lookup, all a month ago.
async fn people_worked(house: &House) -> anyhow::Result<()> {
    let folder = house.folder.join("a-month-ago");
    std::fs::create_dir(&folder)?;
    let then = SystemClock.now().as_millis() - MONTH.as_millis();
    let store = format!("store: {}", house.database.url());
    let elsewhere = [("store: sqlite://countersign.db", store.as_str())];
    let edits = match &house.database {
        Database::File(_) => &[][..],
        Database::Server(_) => &elsewhere,
    };
    let setting = Setting {
        folder: &folder,
        clock: Arc::new(TurnableClock::standing_at(Timestamp::from_millis(then))),
        pace: Pace::LikeSlack,
        port: 0,
        edits,
    };
    let mut world = World::found(setting).await?;
    let (mia, jonas) = (world.slack.person("mia"), world.slack.person("jonas"));
    mia.writes_to_bot("look up order 1042");
    for (words, label) in [("ch_1 640.00", "Approve"), ("ch_2 75.00", "Reject…")] {
        mia.writes_to_bot(&format!("refund {words} EUR, charged twice"));
        world.pass(Span::seconds(10)).await?;
        let card = jonas.newest_card("#approvals").context("nobody is asked")?;
        let dialog = jonas.clicks(&card, label).await.dialog.context("no dialog opens")?;
        jonas.sends(&dialog, &[("reason", "looked at it")]).await;
        world.pass(Span::seconds(10)).await?;
    }
    world.pass(UNTIL_LATELY).await?;
    lately(&world).await?;
    world.crash_desk().await;
    if let Database::File(file) = &house.database {
        std::fs::copy(world.database(), file)?;
    }
    Ok(())
}

/// Something that leaves nothing but a record.
async fn lately(world: &World) -> anyhow::Result<()> {
    let desk = &world.app()?.desk;
    desk.store.stop(&desk.workspace, "olga", "an exercise").await?;
    desk.store.start(&desk.workspace, "olga", "it is over").await?;
    Ok(())
}

async fn everything_goes(house: &House) -> anyhow::Result<()> {
    let desk = house.database.look().await?;
    for question in WHOLE {
        while sqlx::query_scalar::<_, i64>(question).fetch_one(&desk).await? > 0 {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    desk.close().await;
    Ok(())
}
