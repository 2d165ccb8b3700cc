//! From a click to its committed answer.

use std::sync::Arc;
use std::time::Duration;

use countersign::app::App;
use futures::future::join_all;

use crate::office::{Database, Office, click};
use crate::times::{Times, now, per_second, processor, processor_each};

/// How many people click at once, and how many clicks are measured then.
const LEVELS: [(usize, usize); 3] = [(1, 800), (8, 2400), (64, 4800)];
/// Clicks before the first measurement, to fill caches.
const WARM_UP: usize = 50;

/// Prints a line for each level and database, in turns. The desk's loops stand still, so that nothing
/// but the clicks is measured; in [`super::cycles`] they all run.
pub async fn measure(few: bool) {
    println!("\nclick → committed answer (loops at rest, each click its own request)");
    let mut desks = Vec::new();
    for database in Database::all() {
        let (office, app) = Office::open(&database).await;
        let office = Arc::new(office);
        click_all(&office, pending(&office, &app, WARM_UP).await, 1).await;
        desks.push((database.name(), office, app));
    }
    for (clickers, clicks) in LEVELS {
        let clicks = if few { clickers * 2 } else { clicks };
        for (name, office, app) in &desks {
            let bodies = pending(office, app, clicks).await;
            let (start, before) = (now(), processor());
            let mut times = click_all(office, bodies, clickers).await;
            let rate = per_second(clicks, start.elapsed());
            let (each, times) = (processor_each(before, clicks), times.summary());
            println!(
                "  {clickers:>3} clicking, {name:<8}: {rate:>8}, median / p99 {times}, \
                 processor {each} each"
            );
        }
    }
    for (_, _, app) in desks {
        app.desk.store.close().await;
    }
}

/// The clicks that approve so many new requests, ready to be sent.
async fn pending(office: &Office, app: &App, count: usize) -> Vec<String> {
    let charges: Vec<String> = (0..count).map(|_| office.next_charge()).collect();
    let cards: Vec<_> = charges.iter().map(|charge| office.slack.card(charge)).collect();
    join_all(charges.iter().map(|charge| office.ask(charge))).await;
    app.settle().await.expect("the cards are shown");
    let shown = join_all(cards).await.into_iter();
    shown.map(|card| click(&card.expect("a card was shown"))).collect()
}

/// Every clicker sends their share, one after the other.
async fn click_all(office: &Arc<Office>, bodies: Vec<String>, clickers: usize) -> Times {
    let mut shares: Vec<Vec<String>> = vec![Vec::new(); clickers];
    for (nth, body) in bodies.into_iter().enumerate() {
        shares[nth % clickers].push(body);
    }
    let clickers = shares.into_iter().map(|share| tokio::spawn(click_share(office.clone(), share)));
    let done = join_all(clickers).await.into_iter();
    done.flat_map(|times| times.expect("no clicker panics")).collect()
}

async fn click_share(office: Arc<Office>, bodies: Vec<String>) -> Vec<Duration> {
    let mut times = Vec::with_capacity(bodies.len());
    for body in bodies {
        let start = now();
        office.send_click(body).await;
        times.push(start.elapsed());
    }
    times
}
