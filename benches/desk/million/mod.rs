//! A million requests that wait: how much memory they take, how soon the desk is there again after
//! SIGKILL, how long ten thousand timers take that are due together, and what a click waits for
//! meanwhile. The real binary, over HTTP, beside a stand-in for Slack.
//!
//! `cargo bench --bench desk -- million`, or `-- million 20000` for fewer; on Postgres beside
//! `scripts/with-postgres`. It takes some minutes and some gigabytes below `target/tmp`.

mod fill;
mod house;
mod outside;
mod people;

use std::time::Duration;

use countersign::base::{Clock, Span, SystemClock, Timestamp};

use self::fill::{Due, Filler};
use self::house::House;
use self::outside::Outside;
use crate::office::Database;
use crate::times::now;

/// How many timers are due together.
const STORM: usize = 10_000;
/// Clicks that make up an hour: one a second.
const HOUR: usize = 3_600;
/// How long what is told of a storm is looked at.
const MINUTE: Duration = Duration::from_secs(60);

/// What is measured of the desk, at what scale.
struct Scale {
    pending: usize,
    storm: usize,
    clicks: usize,
    settling: Duration,
}

/// Prints a line for each figure.
pub async fn measure(database: &Database, few: bool) {
    let scale = match few {
        true => Scale { pending: 200, storm: 40, clicks: 16, settling: Duration::from_secs(1) },
        false => Scale { pending: asked_for(), storm: STORM, clicks: HOUR, settling: MINUTE },
    };
    println!(
        "\n{} requests that wait on {} (the real binary, killed and started again)",
        scale.pending,
        database.name()
    );
    let outside = Outside::open().await;
    let house = House::build(database, &outside).await;
    let filler = Filler::open(&house).await;
    let start = now();
    filler.fill(scale.pending, &Due::InAMonth).await;
    println!("  filled in {:.0} s; {} on disk", start.elapsed().as_secs_f64(), house.size().await);
    house.rests().await;
    overdue(&house, filler, &outside, &scale).await;
    let filler = Filler::open(&house).await;
    in_one_second(&house, filler, &outside, &scale).await;
    house.verify().await;
}

/// It is killed under load, and when it is started again timers have become overdue.
async fn overdue(house: &House, filler: Filler, outside: &Outside, scale: &Scale) {
    let from = plus(SystemClock.now(), lead(scale));
    filler.fill(scale.storm, &Due::Within { from, span: Span::seconds(1) }).await;
    filler.close().await;
    let tokens = house.buttons(scale.clicks / 10).await;
    let (desk, ready) = house.start_and_wait().await;
    println!("  ready {ready:.2} s after a clean end; {} MB resident", desk.resident());
    people::click(&people::client(), &house.url(), people::bodies(tokens)).await;
    desk.kill().await;
    assert!(SystemClock.now() < from, "it was killed too late: give it more time");
    let due = plus(from, Duration::from_secs(1));
    sleep_until(due).await;
    outside.forget();
    let start = now();
    let (desk, ready) = house.start_and_wait().await;
    println!("  ready {ready:.2} s after SIGKILL; {} MB resident", desk.resident());
    house.fired_until(due).await;
    println!(
        "  {} overdue timers committed {:.2} s after the start; {} MB resident",
        scale.storm,
        start.elapsed().as_secs_f64(),
        desk.resident()
    );
    tokio::time::sleep(scale.settling).await;
    outside.print_posts();
    desk.end().await;
}

/// Timers become due within one second, while people click: as often as Slack lets a desk ask who they
/// are, which is fifty times at once and then a hundred a minute. Then an hour's worth of clicks comes as
/// fast as it is answered, of which most are refused for that reason; what each costs is much the same.
async fn in_one_second(house: &House, filler: Filler, outside: &Outside, scale: &Scale) {
    let from = plus(SystemClock.now(), lead(scale));
    filler.fill(scale.storm, &Due::Within { from, span: Span::seconds(1) }).await;
    filler.close().await;
    let bodies = people::bodies(house.buttons(scale.clicks).await);
    let voted = house.votes().await;
    let (desk, _) = house.start_and_wait().await;
    outside.forget();
    let client = people::client();
    sleep_until(from).await;
    let start = now();
    let storm = async {
        let due = plus(from, Duration::from_secs(1));
        sleep_until(due).await;
        house.fired_until(due).await;
        start.elapsed().as_secs_f64()
    };
    let (took, mut during) = people::click_during(&client, &house.url(), bodies, storm).await;
    println!(
        "  {} timers due within 1 s committed {took:.2} s after the first; {} clicks of {} people \
         meanwhile, {} of them votes, median / p99: {}",
        scale.storm,
        during.clicks,
        people::PEOPLE,
        house.votes().await - voted,
        during.times.summary()
    );
    tokio::time::sleep(scale.settling).await;
    outside.print_posts();
    let left = during.left.len();
    let mut after = people::click(&client, &house.url(), during.left).await;
    println!("  {left} clicks without a pause, median / p99: {}", after.summary());
    println!("  {} MB resident after an hour's worth of clicks", desk.resident());
    desk.end().await;
}

/// How long it takes to fill the storm in, and to start a desk.
fn lead(scale: &Scale) -> Duration {
    Duration::from_secs(10 + scale.storm as u64 / 250)
}

/// The number after the name.
fn asked_for() -> usize {
    std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000)
}

fn plus(at: Timestamp, span: Duration) -> Timestamp {
    let millis = i64::try_from(span.as_millis()).unwrap_or_default();
    Timestamp::from_millis(at.as_millis() + millis)
}

async fn sleep_until(at: Timestamp) {
    let left = at.since(SystemClock.now());
    tokio::time::sleep(left.to_std()).await;
}
