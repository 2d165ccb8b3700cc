//! The desk is killed, over and over, in the middle of everything; then everything is checked.
//!
//! The real binary serves while people write, decide and click twice. It gets SIGKILL at moments
//! from a seed, and is started again. Slack's stand-in and the company live in this process, so
//! they survive, and what they wrote down is evidence from outside. `scripts/chaos 200` runs a
//! whole campaign.

#[path = "../replicas/balancer.rs"]
mod balancer;
mod campaign;
mod chance;
mod check;
mod clock;
mod database;
mod dense;
mod desk;
mod disk;
mod evidence;
mod gate;
mod load;
#[path = "../machine/mod.rs"]
mod machine;
mod moments;
mod operator;
mod outside;
mod replicas;
mod sabotage;
mod settle;
mod slack_again;
mod table;
mod tempo;
mod windows;

use std::time::Duration;

use campaign::{Campaign, Trouble};
use dense::Dense;
use tempo::Tempo;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs in real time and kills processes: scripts/chaos runs it"]
async fn nothing_promised_is_lost_or_doubled_however_often_the_desk_is_killed() {
    let kills = number("COUNTERSIGN_KILLS");
    let campaign = Campaign {
        trouble: Trouble::Kills,
        times: kills.unwrap_or(6),
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
    in_little_time(Trouble::Kills, 20, 60).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs in real time on a disk that fails: scripts/campaign runs it, scripts/test a slice"]
async fn nothing_is_lost_or_doubled_on_a_disk_that_fails() {
    in_little_time(Trouble::Disk, 12, 30).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs in real time by a clock that jumps: scripts/campaign runs it, scripts/test a slice"]
async fn nothing_is_lost_early_or_stuck_by_a_clock_that_jumps() {
    in_little_time(Trouble::Clock, 8, 24).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it kills processes on Postgres: scripts/campaign runs it, scripts/test a slice"]
async fn nothing_is_lost_or_doubled_by_two_desks_that_die_and_stand_still() {
    in_little_time(Trouble::Replicas, 15, 12).await;
}

/// A slice of a campaign, or as much as the seconds take.
async fn in_little_time(trouble: Trouble, slice: u64, round: u64) {
    let seconds = number("COUNTERSIGN_SECONDS");
    let campaign = Dense {
        trouble,
        houses: number("COUNTERSIGN_HOUSES").unwrap_or(if seconds.is_some() { 4 } else { 2 }),
        times: number("COUNTERSIGN_KILLS").unwrap_or(if seconds.is_some() { round } else { slice }),
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it compiles the machine that fails: scripts/test runs it"]
async fn a_full_disk_takes_nothing_and_is_told_nothing() {
    if let Err(error) = disk::is_full_for_a_while().await {
        panic!("{error:#}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it compiles the machine that fails: scripts/test runs it"]
async fn a_disk_that_failed_a_commit_is_not_trusted() {
    for beside in [disk::Beside::Nobody, disk::Beside::Reader] {
        if let Err(error) = disk::fails_a_commit_and_then_the_power_fails(beside).await {
            panic!("{beside:?}: {error:#}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it compiles the machine that fails: scripts/test runs it"]
async fn nothing_is_done_on_a_disk_that_damaged_a_page() {
    if let Err(error) = disk::damages_a_page_while_the_desk_is_dead().await {
        panic!("{error:#}");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}
