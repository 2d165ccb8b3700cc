//! The crash matrix: the real binary dies at every failpoint, in each way, and is started again.

mod call;
mod case;
mod conversation;
mod copies;
mod left;
mod matrix;
mod old;
mod standstill;
mod warden;

use std::collections::BTreeMap;

use countersign::base::failpoint::Point;
use countersign::base::{Clock, SystemClock};
use futures::{StreamExt, stream};

use case::{Case, Death, Story};
use standstill::Standstill;

use crate::campaign::Folder;
use crate::database;

/// So many desks at once: mostly they wait for something.
const AT_ONCE: usize = 8;

/// What is tried.
pub struct Plan {
    pub rounds: u64,
    pub seed: u64,
    /// How the names of the cases begin that alone are tried.
    pub only: Option<String>,
}

impl Plan {
    /// Plays a conversation undisturbed, and then as many rounds as asked for. The first is the
    /// matrix; the times at which further ones die come from their seeds.
    pub async fn run(self) -> anyhow::Result<()> {
        every_point_is_passed().await?;
        let standstill = Standstill::watch();
        let mut findings = Vec::new();
        for round in 0..self.rounds {
            let seed = self.seed + round;
            let mut cases = match &self.only {
                Some(name) => matrix::named(name),
                None if round == 0 => matrix::matrix(),
                None => matrix::chosen(seed),
            };
            if database::server().is_some() {
                // A server is copied by its own means.
                cases.retain(|case| case.story != Story::Copies);
            }
            anyhow::ensure!(!cases.is_empty(), "there is no such case");
            let began = SystemClock.now();
            let tried = stream::iter(cases.clone())
                .map(|case| tried(case, round + 1, &standstill))
                .buffer_unordered(AT_ONCE);
            let found: Vec<String> = tried.filter_map(std::future::ready).collect().await;
            let took = SystemClock.now().since(began).to_std();
            println!("round {} of {}, seed {seed}: {}", round + 1, self.rounds, counted(&cases));
            println!("  {} findings, {} s", found.len(), took.as_secs());
            found.iter().for_each(|finding| println!("  {finding}"));
            findings.extend(found);
        }
        anyhow::ensure!(findings.is_empty(), "{} findings", findings.len());
        Ok(())
    }
}

fn counted(cases: &[Case]) -> String {
    let by = |death| cases.iter().filter(|case| case.death == death).count();
    let (abort, kill, panic) = (by(Death::Abort), by(Death::Kill), by(Death::Panic));
    format!("{} deaths, {abort} by abort, {kill} by SIGKILL, {panic} by panic", cases.len())
}

/// What is wrong after a death, if anything is.
async fn tried(case: Case, round: u64, standstill: &Standstill) -> Option<String> {
    loop {
        let before = standstill.count();
        let folder = match Folder::new(&format!("{case}-{round}-{before}")) {
            Ok(folder) => folder,
            Err(error) => return Some(format!("{case}: {error}")),
        };
        let played = match case.story {
            Story::Conversation | Story::Probed => {
                conversation::play(Some(case), &folder.0).await.map(drop)
            }
            Story::Call => call::play(case, &folder.0).await,
            Story::Copies => copies::play(case, &folder.0).await,
            Story::Old => old::play(case, &folder.0).await,
        };
        let error = played.err()?;
        if !standstill.since(before).await {
            return Some(format!("{case}: {error:#}\nkept in {}", folder.keep().display()));
        }
        println!("  {case} is tried again: the machine stood still meanwhile ({error:#})");
    }
}

/// What nobody comes to cannot be tried there.
async fn every_point_is_passed() -> anyhow::Result<()> {
    let folder = Folder::new("nobody-dies")?;
    let log = conversation::play(None, &folder.0).await?;
    let mut passed: BTreeMap<String, u64> = BTreeMap::new();
    for point in log.lines().filter_map(|line| line.strip_prefix("failpoint ")) {
        *passed.entry(point.to_owned()).or_default() += 1;
    }
    for (point, times) in matrix::of_a_conversation() {
        let count = passed.get(&format!("{point:?}")).copied().unwrap_or_default();
        anyhow::ensure!(count >= times, "it comes to {point:?} {count} times");
    }
    let tried = matrix::named("");
    for point in Point::ALL {
        anyhow::ensure!(tried.iter().any(|case| case.point == *point), "{point:?} is not tried");
    }
    println!("{} points; a conversation passes {passed:?}", Point::ALL.len());
    Ok(())
}
