//! The desk is killed, over and over, in the middle of everything; then everything is checked.
//!
//! The real binary serves while people write, decide and click twice. It gets SIGKILL at moments
//! from a seed, and is started again. Slack's stand-in and the company live in this process, so
//! they survive, and what they wrote down is evidence from outside. `scripts/chaos 200` runs a
//! whole campaign.

mod campaign;
mod chance;
mod check;
mod dense;
mod desk;
mod evidence;
mod gate;
mod load;
mod moments;
mod outside;
mod sabotage;
mod settle;
mod slack_again;
mod table;
mod tempo;
mod windows;

use std::time::Duration;

use campaign::Campaign;
use dense::Dense;
use tempo::Tempo;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs in real time and kills processes: scripts/chaos runs it"]
async fn nothing_promised_is_lost_or_doubled_however_often_the_desk_is_killed() {
    let kills = number("COUNTERSIGN_KILLS");
    let campaign = Campaign {
        kills: kills.unwrap_or(6),
        seed: number("COUNTERSIGN_SEED").unwrap_or(1),
        tempo: if kills.is_some() { Tempo::REAL } else { Tempo::SHORT },
    };
    if let Err(error) = campaign.run().await {
        panic!("{error:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs in real time and kills processes: scripts/campaign runs it, scripts/test a slice"]
async fn nothing_is_lost_or_doubled_by_many_kills_in_little_time() {
    let seconds = number("COUNTERSIGN_SECONDS");
    let campaign = Dense {
        houses: number("COUNTERSIGN_HOUSES").unwrap_or(if seconds.is_some() { 4 } else { 2 }),
        kills: number("COUNTERSIGN_KILLS").unwrap_or(if seconds.is_some() { 60 } else { 20 }),
        rounds: if seconds.is_some() { None } else { Some(1) },
        time: Duration::from_secs(seconds.unwrap_or_default()),
        seed: number("COUNTERSIGN_SEED").unwrap_or(1),
    };
    if let Err(error) = campaign.run().await {
        panic!("{error:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it kills processes: scripts/test runs it"]
async fn killed_at_any_moment_a_run_goes_on_and_asks_nothing_again_that_is_recorded() {
    for moment in moments::MOMENTS {
        if let Err(error) = moments::killed_at(moment).await {
            panic!("killed at {moment:?}: {error:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it kills processes: scripts/test runs it"]
async fn whatever_it_dies_of_and_where_the_desk_goes_on_as_if_it_had_not() {
    let plan = windows::Plan {
        rounds: number("COUNTERSIGN_ROUNDS").unwrap_or(1),
        seed: number("COUNTERSIGN_SEED").unwrap_or(1),
        only: std::env::var("COUNTERSIGN_CASE").ok(),
    };
    if let Err(error) = plan.run().await {
        panic!("{error:#}");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
