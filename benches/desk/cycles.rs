//! Whole conversations: message, proposal, card, click, execution, result, last word.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::app::Roles;
use countersign::audit;
use countersign::store::Store;
use futures::future::join_all;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::office::{Database, Office};
use crate::times::{Times, now, per_second, processor, processor_each};

/// How many conversations go on at once, and how many are measured then.
const LEVELS: [(usize, usize); 4] = [(1, 100), (8, 400), (64, 1500), (256, 2500)];

/// Where the time of a conversation goes.
#[derive(Default)]
struct Parts {
    to_card: Times,
    click: Times,
    to_result: Times,
    whole: Times,
}

/// Prints a line for each level and database, in turns: all loops run, as they do in `serve`.
pub async fn measure(few: bool) {
    println!("\nmessage → card → click → tool → resumed → last word (loops at work), median / p99");
    for (at_once, count) in LEVELS {
        let (at_once, count) = if few { (at_once.min(8), 8) } else { (at_once, count) };
        for database in Database::all() {
            measure_on(&database, at_once, count).await;
        }
    }
}

async fn measure_on(database: &Database, at_once: usize, count: usize) {
    let (office, app) = Office::open(database).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let stop = CancellationToken::new();
    let desk = app.desk.clone();
    let serving = tokio::spawn(app.serve(listener, Roles::default(), stop.clone()));
    let (start, before) = (now(), processor());
    let office = Arc::new(office);
    let mut parts = talk(&office, at_once, count).await;
    let (took, each) = (start.elapsed(), processor_each(before, count));
    stop.cancel();
    serving.await.expect("it serves").expect("it serves to the end");
    desk.store.close().await;
    parts.print(
        &format!("{at_once:>3} at once, {}", database.name()),
        &per_second(count, took),
        &each,
    );
    check(&office, count).await;
}

/// So many conversations, `at_once` at any time.
async fn talk(office: &Arc<Office>, at_once: usize, count: usize) -> Parts {
    let begun = Arc::new(AtomicUsize::new(0));
    let talkers = (0..at_once).map(|_| {
        let (office, begun) = (office.clone(), begun.clone());
        tokio::spawn(async move {
            let mut parts = Parts::default();
            while begun.fetch_add(1, Ordering::Relaxed) < count {
                converse(&office, &mut parts).await;
            }
            parts
        })
    });
    let mut all = Parts::default();
    for parts in join_all(talkers).await {
        all.add(parts.expect("no talker panics"));
    }
    all
}

async fn converse(office: &Office, parts: &mut Parts) {
    let charge = office.next_charge();
    let (card, reply) = (office.slack.card(&charge), office.slack.reply(&charge));
    let asked = now();
    office.ask(&charge).await;
    let card = card.await.expect("a card is shown");
    let shown = now();
    office.approve(&card).await;
    let approved = now();
    reply.await.expect("there is a last word");
    let ended = now();
    parts.to_card.add(shown - asked);
    parts.click.add(approved - shown);
    parts.to_result.add(ended - approved);
    parts.whole.add(ended - asked);
}

impl Parts {
    fn add(&mut self, other: Self) {
        let Self { to_card, click, to_result, whole } = other;
        self.to_card.extend(to_card);
        self.click.extend(click);
        self.to_result.extend(to_result);
        self.whole.extend(whole);
    }

    fn print(&mut self, what: &str, rate: &str, each: &str) {
        let whole = self.whole.summary();
        println!("  {what:<22}: {rate:>8}, whole {whole}, processor {each} each");
        println!("       message → card shown     {}", self.to_card.summary());
        println!("       click → committed answer {}", self.click.summary());
        println!("       answer → last word       {}", self.to_result.summary());
    }
}

/// A fast desk that forgot something would be no desk: every run is done, every action ran once,
/// and the audit chain holds.
async fn check(office: &Office, count: usize) {
    let url = office.database();
    let store = Store::open_to_read(url).await.expect("the database opens");
    let violations = audit::verify(&store, &[]).await.expect("it can be read").violations;
    assert!(violations.is_empty(), "{violations:?}");
    store.close().await;
    let pool = sqlx::AnyPool::connect(url).await.expect("the database opens");
    for counted in [
        "SELECT COUNT(*) FROM runs WHERE state = 'done'",
        "SELECT COUNT(*) FROM executions WHERE state = 'succeeded' AND attempts = 1",
    ] {
        let found: i64 = sqlx::query_scalar(counted).fetch_one(&pool).await.expect("a count");
        assert_eq!(usize::try_from(found), Ok(count), "{counted}");
    }
    let waits: Vec<(i64, i64)> = sqlx::query_as(
        "SELECT answered_at - created_at, consumed_at - answered_at FROM interrupts",
    )
    .fetch_all(&pool)
    .await
    .expect("the interrupts can be read");
    print_interrupts(&waits);
    pool.close().await;
}

/// By the rows' own instants, so to the millisecond.
fn print_interrupts(waits: &[(i64, i64)]) {
    let of = |pick: fn(&(i64, i64)) -> i64| -> Times {
        let millis = waits.iter().map(|wait| u64::try_from(pick(wait)).unwrap_or_default());
        millis.map(std::time::Duration::from_millis).collect()
    };
    println!("       interrupt → answered     {}", of(|wait| wait.0).summary());
    println!("       answered → resumed       {}", of(|wait| wait.1).summary());
    println!("       interrupt → resumed      {}", of(|wait| wait.0 + wait.1).summary());
}
