//! As much trouble as the machine can take: several houses at once, each with a desk of its own that is
//! troubled in short rounds. Every round ends with its peace and with all the checks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::join_all;
use tokio::time::Instant;

use crate::campaign::{Campaign, Played, Trouble};
use crate::sabotage::Sabotage;
use crate::table::Table;
use crate::tempo::Tempo;

/// What is left of the time must do for a round and its peace.
const A_ROUND: Duration = Duration::from_secs(75);
/// A campaign that found so many goes no further.
const FAILURES: usize = 3;

pub struct Dense {
    pub houses: u64,
    pub trouble: Trouble,
    /// In each round.
    pub times: u64,
    /// How many rounds each house plays: so many, or as many as the time takes.
    pub rounds: Option<u64>,
    pub time: Duration,
    pub seed: u64,
}

#[derive(Default)]
struct Books {
    table: Table,
    rounds: u64,
    staged: bool,
    failed: Vec<String>,
    /// How long the last rounds took.
    took: Vec<Duration>,
}

impl Dense {
    /// Plays all rounds, prints what they amount to, and fails if any of them found something.
    pub async fn run(self) -> anyhow::Result<()> {
        let (campaign, books) = (Arc::new(self), Arc::new(Mutex::new(Books::default())));
        let began = Instant::now();
        let houses = (0..campaign.houses).map(|nth| {
            let (campaign, books) = (campaign.clone(), books.clone());
            tokio::spawn(async move { campaign.house(nth, began, &books).await })
        });
        for lived in join_all(houses).await {
            lived?;
        }
        let books = books.lock().unwrap_or_else(PoisonError::into_inner);
        println!(
            "\n{} rounds of {} times {:?}, in {} houses, from seed {}, in {} s\n{}",
            books.rounds,
            campaign.times,
            campaign.trouble,
            campaign.houses,
            campaign.seed,
            began.elapsed().as_secs(),
            books.table
        );
        anyhow::ensure!(books.failed.is_empty(), "{}", books.failed.join("\n\n"));
        anyhow::ensure!(books.rounds > 0, "the time was too short for a round");
        // In a slice it may not come to that.
        anyhow::ensure!(
            campaign.rounds.is_some()
                || campaign.trouble != Trouble::Replicas
                || books.table.leases_ended() > 0,
            "nobody stood still for longer than their leases"
        );
        anyhow::ensure!(books.staged, "no round had enough in it to show that the checks can fail");
        Ok(())
    }

    async fn house(&self, nth: u64, began: Instant, books: &Mutex<Books>) {
        for round in 0.. {
            let open = || books.lock().unwrap_or_else(PoisonError::into_inner);
            let longest = open().took.iter().max().copied().unwrap_or(A_ROUND);
            let over = match self.rounds {
                Some(rounds) => round >= rounds,
                None => began.elapsed() + longest > self.time,
            };
            if over || open().failed.len() >= FAILURES {
                return;
            }
            let seed = self.seed + round * self.houses + nth;
            let (trouble, times, begins) = (self.trouble, self.times, Instant::now());
            let played = Campaign { trouble, times, seed, tempo: Tempo::DENSE }.play().await;
            let mut books = open();
            books.took.push(begins.elapsed());
            books.rounds += 1;
            match played {
                Ok(Played { table, sabotage }) => {
                    books.table.take_in(&table);
                    books.staged |= sabotage == Sabotage::Seen;
                }
                Err(error) => {
                    println!("FAILED {error:#}");
                    books.failed.push(format!("{error:#}"));
                }
            }
        }
    }
}
