//! The desk is killed, over and over, in the middle of everything; then everything is checked.
//!
//! The real binary serves while people write, decide and click twice. It gets SIGKILL at moments
//! from a seed, and is started again. Slack's stand-in and the company live in this process, so
//! they survive, and what they wrote down is evidence from outside. `scripts/chaos 200` runs a
//! whole campaign.

mod campaign;
mod chance;
mod check;
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
mod windows;

use campaign::{Campaign, Patience};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs in real time and kills processes: scripts/chaos runs it"]
async fn nothing_promised_is_lost_or_doubled_however_often_the_desk_is_killed() {
    let kills = number("COUNTERSIGN_KILLS");
    let campaign = Campaign {
        kills: kills.unwrap_or(6),
        seed: number("COUNTERSIGN_SEED").unwrap_or(1),
        patience: if kills.is_some() { Patience::Real } else { Patience::Short },
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
