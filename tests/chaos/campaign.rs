//! One campaign from the first start to the last check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use countersign::base::{Clock, Span, SystemClock};
use tokio::time::timeout;

use crate::chance::Chance;
use crate::desk::{Desk, House};
use crate::evidence::{CompanyRows, DeskRows, Evidence, Walls};
use crate::load::{Load, WRITERS};
use crate::outside::Outside;
use crate::table::{Table, Tally};
use crate::{check, sabotage, settle};

/// Everything must have settled by then: the longest lease, the longest path of a request, and what
/// cards that change meanwhile take of Slack's updates.
const SETTLED: Duration = Duration::from_secs(300);
/// Slack takes 50 updates a minute: each card that waits for one at the end of the load has its turn.
const AN_UPDATE: Duration = Duration::from_millis(1_200);
/// Slack's second and third repetition of an event come within this.
const SLACK_GIVES_UP: Span = Span::seconds(290);
/// How long the killer waits for the moment it wants.
const OPPORTUNITY: Duration = Duration::from_secs(2);

/// How long people and leases wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// Leases end when they end.
    Real,
    /// Requests wait a few seconds, and the leases of the last killed desk are set back half a
    /// minute while it is closed.
    Short,
}

pub struct Campaign {
    pub kills: u64,
    pub seed: u64,
    pub patience: Patience,
}

impl Campaign {
    /// Runs it, prints the table, and fails when anything promised was lost or doubled.
    pub async fn run(self) -> anyhow::Result<()> {
        let folder = Folder::new(&self.seed.to_string())?;
        let began = SystemClock.now();
        let chance = Chance::new(self.seed);
        let patience = if self.patience == Patience::Real { 4 } else { 1 };
        let (outside, house) = Outside::found(&folder.0, &chance, patience).await?;
        let mut tally = Tally::default();
        let mut load = self.kill_and_start(&outside, &house, &chance, &mut tally).await?;
        tally.written = load.people_go().await?;
        let desk = if self.patience == Patience::Short {
            let waits = settle::half_a_minute_passes(&house.database()).await?;
            let desk = house.open().await?;
            waits.close().await;
            desk
        } else {
            house.open().await?
        };
        tally.starts += 1;
        outside.clock.turn_forward(SLACK_GIVES_UP);
        let waiting = settle::cards_waiting(&house.database()).await?;
        let bound = SETTLED + AN_UPDATE * waiting;
        let owed = settle::wait(&house.database(), bound).await?;
        load.couriers_go().await?;
        let stopped = desk.stop().await?;
        let left_a_log = house.left_a_log();
        tally.events_again = *outside.events_again.lock().unwrap_or_else(PoisonError::into_inner);
        tally.took = SystemClock.now().since(began).to_std();
        let mut evidence = gather(&outside, &house).await?;
        println!("\nseed {}\n{}", self.seed, Table::of(&evidence, &tally));
        let mut findings = check::everything(&evidence).await?;
        for what in &owed {
            findings.add(format!("{what} after {} s of peace", bound.as_secs()));
        }
        if !stopped.success() {
            findings.add(format!("the desk closed with {stopped}"));
        }
        if left_a_log {
            findings.add("the desk closed and left a write-ahead log, as if killed".to_owned());
        }
        findings.add_from_log(&house.log())?;
        if !findings.all().is_empty() {
            let kept = folder.keep();
            anyhow::bail!("{:#?}\nkept in {}", findings.all(), kept.display());
        }
        sabotage::is_seen(&folder.0, &outside.company_books, &mut evidence).await
    }

    /// The campaign proper. Gives back the load, which still runs, and no desk.
    async fn kill_and_start(
        &self,
        outside: &Arc<Outside>,
        house: &House,
        chance: &Chance,
        tally: &mut Tally,
    ) -> anyhow::Result<Load> {
        let mut killer = chance.apart("the killer");
        let mut desk = house.open().await?;
        tally.starts += 1;
        let load = Load::begin(outside, chance, self.patience);
        loop {
            wait_for_the_moment(outside, &mut killer, tally).await;
            desk.kill().await?;
            tally.kills += 1;
            if tally.kills >= self.kills {
                return Ok(load);
            }
            // Mostly the next one opens at once; now and then Slack meets a closed door.
            let closed = if killer.one_in(5) { 1_200 } else { 150 };
            tokio::time::sleep(killer.millis(0, closed)).await;
            desk = self.start_again(house, &mut killer, tally).await?;
        }
    }

    /// A desk may be killed before it is open; the next one must cope with that, too.
    async fn start_again(
        &self,
        house: &House,
        killer: &mut Chance,
        tally: &mut Tally,
    ) -> anyhow::Result<Desk> {
        if killer.one_in(6) {
            let unborn = house.start()?;
            tokio::time::sleep(killer.millis(1, 400)).await;
            unborn.kill().await?;
            tally.kills += 1;
            tally.while_starting += 1;
            tally.starts += 1;
        }
        tally.starts += 1;
        house.open().await
    }
}

/// Any moment, or just after a call reached the company, or just as somebody clicks.
async fn wait_for_the_moment(outside: &Outside, killer: &mut Chance, tally: &mut Tally) {
    tokio::time::sleep(killer.millis(50, 1_500)).await;
    match killer.below(3) {
        0 => {
            if timeout(OPPORTUNITY, outside.called.notified()).await.is_ok() {
                tally.in_a_call += 1;
            }
            tokio::time::sleep(killer.millis(0, 300)).await;
        }
        1 => {
            if timeout(OPPORTUNITY, outside.clicked.notified()).await.is_ok() {
                tally.in_a_click += 1;
            }
            tokio::time::sleep(killer.millis(0, 60)).await;
        }
        _ => {}
    }
}

/// What is left when the desk is closed.
pub async fn gather(outside: &Outside, house: &House) -> anyhow::Result<Evidence> {
    Ok(Evidence {
        database: house.database(),
        desk: DeskRows::read(&house.database()).await?,
        company: CompanyRows::read(&outside.company_books).await?,
        slack: outside.slack.journal(),
        repeated: outside.repeated.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        walls: walls(outside),
    })
}

/// What everybody sees, everywhere.
fn walls(outside: &Outside) -> Walls {
    let mut walls = Walls::default();
    let mut live = BTreeSet::new();
    for name in WRITERS {
        let person = outside.slack.person(name);
        let direct = format!("D0{:0<8}", name.to_uppercase());
        for channel in ["#approvals", "#managers", "#support", direct.as_str()] {
            for message in person.sees(channel) {
                if !message.buttons.is_empty() {
                    live.insert(message.text.clone());
                }
                walls.texts.insert((message.at.channel, message.at.ts), message.text);
            }
        }
    }
    walls.live = live.into_iter().collect();
    walls
}

impl check::Findings {
    /// A panic, or a defect that a start mended, is a finding whatever came of it.
    fn add_from_log(&mut self, log: &Path) -> anyhow::Result<()> {
        let text = std::fs::read_to_string(log)?;
        for line in text.lines().filter(|line| {
            line.contains("panicked") || line.contains("a bug made") || line.contains("a defect")
        }) {
            self.add(format!("the desk's log says: {line}"));
        }
        Ok(())
    }
}

/// The campaign's files; they stay when something was found.
pub struct Folder(pub PathBuf);

impl Folder {
    pub fn new(of: &str) -> std::io::Result<Self> {
        let name = format!("chaos-{of}-{}", std::process::id());
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&folder)?;
        Ok(Self(folder))
    }

    pub fn keep(mut self) -> PathBuf {
        std::mem::take(&mut self.0)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // Whatever cannot be removed is only in the way.
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }
}
