//! The disk of the real desk is full, or fails it in the middle of a commit.

mod campaign;
mod damage;
mod fault;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use countersign::base::Span;
use countersign::sandbox::{Driver, MessageView};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::campaign::{Folder, gather};
use crate::chance::Chance;
use crate::check;
use crate::desk::{Desk, House};
use crate::evidence::CompanyRows;
use crate::machine::Machine;
use crate::outside::Outside;
use crate::settle;
use crate::tempo::Tempo;
pub use damage::damages_a_page_while_the_desk_is_dead;
use fault::{Fault, power_fails};

/// Nothing here takes more than a few seconds; whoever waits for longer waits for nothing.
const BOUND: Duration = Duration::from_secs(60);
/// Slack's first and second repetition of an event come within this.
const SLACK_TRIES_AGAIN: Span = Span::seconds(61);

/// A desk on a machine whose disk can fail, and who writes and decides.
struct Scene {
    outside: Arc<Outside>,
    house: House,
    machine: Arc<Machine>,
    courier: JoinHandle<()>,
}

/// While the disk is full nobody is told yes, and nothing that needs a record happens. When there is
/// room again, the same desk takes everything.
pub async fn is_full_for_a_while() -> anyhow::Result<()> {
    told_in("full", async |folder| {
        let scene = Scene::opens(folder).await?;
        let desk = scene.house.open().await?;
        let (mia, jonas) = scene.mia_and_jonas();
        mia.writes_to_bot("pay invoice V-1");
        let card = card(&jonas, "V-1").await?;

        scene.machine.disk_does(Fault::FULL)?;
        refused(&jonas, &card).await?;
        mia.writes_to_bot("pay invoice V-2");
        scene.has_failed_more_often_than(2).await?;
        refused(&jonas, &card).await?;
        anyhow::ensure!(scene.payments().await? == 0, "paid without a record");
        let log = std::fs::read_to_string(scene.house.log())?;
        anyhow::ensure!(log.contains("the disk is full"), "the operator is not told why");

        scene.machine.disk_is_well()?;
        approves(&jonas, &card).await?;
        scene.outside.clock.turn_forward(SLACK_TRIES_AGAIN);
        approves(&jonas, &self::card(&jonas, "V-2").await?).await?;
        scene.ends(desk, 2).await
    })
    .await
}

/// A commit that could not be synced may be on the disk or not, and the system's cache shows it either
/// way. So the desk stops; the next one has everything written anew before it goes on, and what it then
/// acknowledges survives a power cut.
pub async fn fails_a_commit_and_then_the_power_fails(beside: Beside) -> anyhow::Result<()> {
    told_in(&format!("fails-{beside:?}"), async |folder| {
        let scene = Scene::opens(folder).await?;
        scene.machine.disk_has_only_what_was_synced()?;
        let mut desk = scene.house.open().await?;
        let (mia, jonas) = scene.mia_and_jonas();
        mia.writes_to_bot("pay invoice V-1");
        let first = card(&jonas, "V-1").await?;
        mia.writes_to_bot("pay invoice V-2");
        let second = card(&jonas, "V-2").await?;

        // Whoever commits next, the click is not kept.
        scene.machine.disk_does(Fault::A_COMMIT)?;
        let status = jonas.clicks(&first, "Approve").await.status;
        anyhow::ensure!(status != 200, "a click that nobody can have kept was acknowledged");
        let ended = timeout(BOUND, desk.ends()).await.context("the desk goes on")??;
        anyhow::ensure!(ended.code() == Some(1), "it ended with {ended}");
        anyhow::ensure!(scene.machine.failures()? == 2, "the disk did not fail twice");
        anyhow::ensure!(scene.house.left_a_log(), "what was not synced is folded into the file");
        let reader = match beside {
            Beside::Nobody => None,
            Beside::Reader => Some(reads_without_end(&scene.house.file()).await?),
        };

        let desk = scene.house.open().await?;
        approves(&jonas, &second).await?;
        desk.kill().await?;
        if let Some(reader) = reader {
            reader.close().await?;
        }
        power_fails(&scene.house.file())?;
        let waits = settle::half_a_minute_passes(&scene.house.database).await?;
        let desk = scene.house.open().await?;
        waits.close().await;
        approves(&jonas, &first).await?;
        scene.ends(desk, 2).await
    })
    .await
}

/// Who has the database open beside the desk.
#[derive(Clone, Copy, Debug)]
pub enum Beside {
    Nobody,
    Reader,
}

/// As a program does that copies each change elsewhere: what it sees of the log it keeps from being begun
/// anew, though parts of that may be nowhere but in the system's cache.
async fn reads_without_end(database: &Path) -> anyhow::Result<SqliteConnection> {
    let options = SqliteConnectOptions::new().filename(database).read_only(true);
    let mut reader = options.connect().await?;
    reader.execute(sqlx::raw_sql("BEGIN; SELECT COUNT(*) FROM runs")).await?;
    Ok(reader)
}

/// Plays it in a folder that stays when it fails.
async fn told_in(
    name: &str,
    story: impl AsyncFnOnce(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = Folder::new(&format!("disk-{name}"))?;
    let told = story(&folder.0).await;
    told.map_err(|error| error.context(format!("kept in {}", folder.keep().display())))
}

impl Scene {
    async fn opens(folder: &Path) -> anyhow::Result<Self> {
        let (outside, mut house) =
            Outside::found(folder, &Chance::new(1), &Tempo::UNHURRIED).await?;
        let machine = Arc::new(Machine::in_folder(folder, "machine")?);
        house.machine = Some(machine.clone());
        let courier = tokio::spawn(deliver(outside.clone()));
        Ok(Self { outside, house, machine, courier })
    }

    fn mia_and_jonas(&self) -> (Driver, Driver) {
        (self.outside.slack.person("mia"), self.outside.slack.person("jonas"))
    }

    async fn has_failed_more_often_than(&self, times: i64) -> anyhow::Result<()> {
        let failing = async {
            while self.machine.failures()? <= times {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            Ok(())
        };
        timeout(BOUND, failing).await.context("the disk is not asked")?
    }

    async fn payments(&self) -> anyhow::Result<usize> {
        Ok(CompanyRows::read(&self.outside.company_books).await?.ledger.len())
    }

    /// All is settled, and everybody's books agree.
    async fn ends(self, desk: Desk, payments: usize) -> anyhow::Result<()> {
        let owed = settle::wait(&self.house.database, BOUND).await?;
        anyhow::ensure!(owed.is_empty(), "still owed: {owed:?}");
        self.courier.abort();
        let stopped = desk.stop().await?;
        anyhow::ensure!(stopped.success(), "it closed with {stopped}");
        let evidence = gather(&self.outside, &self.house).await?;
        let findings = check::everything(&evidence).await?;
        anyhow::ensure!(findings.all().is_empty(), "{:#?}", findings.all());
        let paid = evidence.company.ledger.len();
        anyhow::ensure!(paid == payments, "{paid} payments, and not {payments}");
        Ok(())
    }
}

async fn deliver(outside: Arc<Outside>) {
    loop {
        outside.slack.deliver_due().await;
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The card that still asks this person about an invoice, as soon as it is there.
async fn card(person: &Driver, invoice: &str) -> anyhow::Result<MessageView> {
    let looking = async {
        loop {
            let seen = person.sees("#managers").into_iter();
            let mut asking = seen.filter(|card| card.buttons.iter().any(|name| name == "Approve"));
            if let Some(card) = asking.find(|card| card.text.contains(invoice)) {
                return card;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(BOUND, looking).await.with_context(|| format!("no card about {invoice}"))
}

async fn approves(person: &Driver, card: &MessageView) -> anyhow::Result<()> {
    let status = person.clicks(card, "Approve").await.status;
    anyhow::ensure!(status == 200, "an approval was answered with {status}");
    Ok(())
}

async fn refused(person: &Driver, card: &MessageView) -> anyhow::Result<()> {
    let status = person.clicks(card, "Approve").await.status;
    anyhow::ensure!(status == 503, "a click that could not be kept was answered with {status}");
    Ok(())
}
