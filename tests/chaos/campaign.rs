//! One campaign from the first start to the last check.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use countersign::base::{Clock, Span, SystemClock};
use tokio::time::{Instant, timeout};

use crate::chance::Chance;
use crate::database::Database;
use crate::desk::{Desk, House};
use crate::evidence::{CompanyRows, DeskRows, Evidence, Walls};
use crate::load::{Load, WRITERS};
use crate::outside::Outside;
use crate::sabotage::Sabotage;
use crate::table::{Table, Tally};
use crate::tempo::{LeasesEnd, Tempo};
use crate::{check, sabotage, settle};

/// Everything must have settled by then: the longest lease, the longest path of a request, and what
/// cards that change meanwhile take of Slack's updates.
const SETTLED: Duration = Duration::from_secs(300);
/// Slack takes 50 updates a minute: each card that waits for one at the end of the load has its turn.
const AN_UPDATE: Duration = Duration::from_millis(1_200);
/// Slack's second and third repetition of an event come within this.
const SLACK_GIVES_UP: Span = Span::seconds(290);

pub struct Campaign {
    pub trouble: Trouble,
    /// How often it comes.
    pub times: u64,
    pub seed: u64,
    pub tempo: Tempo,
}

/// What becomes of the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is killed.
    Kills,
    /// Its disk is full or fails, and in the end the power does.
    Disk,
    /// Its clock is set ahead and back.
    Clock,
    /// There are two on one Postgres, and they are killed and stand still.
    Replicas,
}

/// How it ended.
pub struct Played {
    pub table: Table,
    /// Whether the checks were shown what they must find, and found it.
    pub sabotage: Sabotage,
}

impl Campaign {
    /// Runs it, prints the table, and fails when anything promised was lost or doubled.
    pub async fn run(self) -> anyhow::Result<()> {
        let played = self.play().await?;
        println!("\nseed {}\n{}", self.seed, played.table);
        match played.sabotage {
            Sabotage::Seen => Ok(()),
            Sabotage::NotStaged(what) => anyhow::bail!("{what} could not be staged"),
        }
    }

    /// Runs it and fails when anything promised was lost or doubled; then its files are kept.
    pub async fn play(&self) -> anyhow::Result<Played> {
        let folder = Folder::new(&self.seed.to_string())?;
        match self.play_in(&folder.0).await {
            Ok(played) => Ok(played),
            Err(error) => {
                let kept = folder.keep();
                Err(error.context(format!("seed {}, kept in {}", self.seed, kept.display())))
            }
        }
    }

    async fn play_in(&self, folder: &Path) -> anyhow::Result<Played> {
        let began = SystemClock.now();
        let chance = Chance::new(self.seed);
        let database = match self.trouble {
            Trouble::Replicas => Database::on_the_server().await?,
            Trouble::Kills | Trouble::Disk | Trouble::Clock => Database::in_folder(folder),
        };
        let (outside, mut house) =
            Outside::found_on(database, folder, &chance, &self.tempo).await?;
        let mut second = None;
        let mut balancer = None;
        let mut stopped = Vec::new();
        let mut tally = Tally::default();
        let mut load = match self.trouble {
            Trouble::Kills => self.kill_and_start(&outside, &house, &chance, &mut tally).await?,
            Trouble::Disk => self.the_disk_fails(&outside, &mut house, &chance, &mut tally).await?,
            Trouble::Clock => {
                self.the_clock_jumps(&outside, &mut house, &chance, &mut tally).await?
            }
            Trouble::Replicas => {
                let other = second.insert(outside.another_house(&house, &self.tempo)?);
                let left = self.replicas_die(&outside, &house, other, &chance, &mut tally).await?;
                balancer = Some(left.balancer);
                stopped = left.stopped;
                left.load
            }
        };
        tally.written = load.people_go().await?;
        let desk = if self.tempo.leases_end == LeasesEnd::ByThemselves {
            house.open().await?
        } else {
            let waits = settle::half_a_minute_passes(&house.database).await?;
            let desk = house.open().await?;
            waits.close().await;
            desk
        };
        tally.starts += 1;
        outside.clock.turn_forward(SLACK_GIVES_UP);
        let waiting = settle::cards_waiting(&house.database).await?;
        let bound = SETTLED + AN_UPDATE * waiting;
        let peace = Instant::now();
        let owed = settle::wait(&house.database, bound).await?;
        tally.peace = peace.elapsed();
        load.couriers_go().await?;
        let closed = desk.stop().await?;
        let left_a_log = house.left_a_log();
        tally.events_again = *outside.events_again.lock().unwrap_or_else(PoisonError::into_inner);
        tally.took = SystemClock.now().since(began).to_std();
        let mut evidence = Evidence { stopped, ..gather(&outside, &house).await? };
        let table = Table::of(&evidence, &tally);
        let mut findings = check::everything(&evidence).await?;
        for what in &owed {
            findings.add(format!("{what} after {} s of peace", bound.as_secs()));
        }
        if !closed.success() {
            findings.add(format!("the desk closed with {closed}"));
        }
        if left_a_log {
            findings.add("the desk closed and left a write-ahead log, as if killed".to_owned());
        }
        for house in [Some(&house), second.as_ref()].into_iter().flatten() {
            findings.add_from_log(&house.log())?;
        }
        drop(balancer);
        anyhow::ensure!(findings.all().is_empty(), "{:#?}\n{table}", findings.all());
        let sabotage = sabotage::is_seen(folder, &outside.company_books, &mut evidence).await?;
        Ok(Played { table, sabotage })
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
        let mut desk = opened(house, tally).await?;
        let load = Load::begin(outside, chance, &self.tempo);
        loop {
            self.wait_for_the_moment(outside, &mut killer, tally).await;
            if killer.one_in(4) {
                desk.stands_still()?;
                tally.stood_still += 1;
                tokio::time::sleep(killer.millis(self.tempo.still.0, self.tempo.still.1)).await;
                desk.goes_on()?;
                self.wait_for_the_moment(outside, &mut killer, tally).await;
            }
            tally.in_flight += u64::from(outside.is_something_under_way());
            desk.kill().await?;
            tally.kills += 1;
            if tally.kills >= self.times {
                return Ok(load);
            }
            // Mostly the next one opens at once; now and then Slack meets a closed door.
            let (from, to) =
                if killer.one_in(5) { self.tempo.closed_for_long } else { self.tempo.closed };
            tokio::time::sleep(killer.millis(from, to)).await;
            let mut waits = None;
            if self.tempo.leases_end == LeasesEnd::NowAndThen && killer.one_in(3) {
                waits = Some(settle::half_a_minute_passes(&house.database).await?);
            }
            desk = self.start_again(house, &mut killer, tally).await?;
            if let Some(waits) = waits {
                waits.close().await;
            }
        }
    }

    /// A desk may be killed before it is open; the next one must cope with that, too.
    pub async fn start_again(
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
        opened(house, tally).await
    }

    /// Any moment, or just after a call reached the company, or just as somebody clicks.
    pub async fn wait_for_the_moment(
        &self,
        outside: &Outside,
        killer: &mut Chance,
        tally: &mut Tally,
    ) {
        let Tempo { opportunity, into_a_call, .. } = self.tempo;
        let life = if killer.one_in(5) { self.tempo.long_life } else { self.tempo.life };
        tokio::time::sleep(killer.millis(life.0, life.1)).await;
        match killer.below(3) {
            0 => {
                if timeout(opportunity, outside.called.notified()).await.is_ok() {
                    tally.in_a_call += 1;
                }
                tokio::time::sleep(killer.millis(into_a_call.0, into_a_call.1)).await;
            }
            1 => {
                if timeout(opportunity, outside.clicked.notified()).await.is_ok() {
                    tally.in_a_click += 1;
                }
                tokio::time::sleep(killer.millis(0, 60)).await;
            }
            _ => {}
        }
    }
}

pub async fn opened(house: &House, tally: &mut Tally) -> anyhow::Result<Desk> {
    let began = Instant::now();
    let desk = house.open().await?;
    tally.starts += 1;
    tally.opening += began.elapsed();
    Ok(desk)
}

/// What is left when the desk is closed.
pub async fn gather(outside: &Outside, house: &House) -> anyhow::Result<Evidence> {
    Ok(Evidence {
        database: house.database.clone(),
        desk: DeskRows::read(&house.database).await?,
        company: CompanyRows::read(&outside.company_books).await?,
        slack: outside.slack.journal(),
        repeated: outside.repeated.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        stopped: Vec::new(),
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
