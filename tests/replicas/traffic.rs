//! People who write and press all the time, whatever becomes of the database, and when they were
//! answered.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use countersign::sandbox::{MessageView, SandboxHandle};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::office::{asks, sooner_or_later};

/// Each in a direct conversation of their own, so that no channel gets more than Slack takes.
const WRITERS: [&str; 5] = ["mia", "sam", "gus", "noor", "vera"];
const APPROVERS: [&str; 4] = ["jonas", "lena", "jonas", "lena"];
const BETWEEN_WISHES: Duration = Duration::from_millis(1200);
/// Who presses and who writes is looked up each time, and two desks may ask Slack 200 times a minute.
const BETWEEN_PRESSES: Duration = Duration::from_millis(2400);
/// Nothing was due when the courier looked.
const REST: Duration = Duration::from_millis(20);

pub struct Traffic {
    people: JoinSet<()>,
    writers_stop: CancellationToken,
    stop: CancellationToken,
    pub presses: Presses,
}

/// Who pressed when, and when it was answered with 200, if it was.
#[derive(Clone, Default)]
pub struct Presses(Arc<Mutex<Vec<Press>>>);

#[derive(Clone, Copy)]
struct Press {
    began: Instant,
    acknowledged: Option<Instant>,
}

impl Traffic {
    pub fn begins(slack: &Arc<SandboxHandle>) -> Self {
        let (writers_stop, stop) = (CancellationToken::new(), CancellationToken::new());
        let (mut people, presses) = (JoinSet::new(), Presses::default());
        people.spawn(until(&writers_stop, write(slack.clone())));
        let approvers = APPROVERS.into_iter().enumerate();
        for (nth, name) in approvers {
            people.spawn(press(slack.clone(), name, nth, presses.clone(), stop.clone()));
        }
        people.spawn(until(&stop, deliver(slack.clone())));
        Self { people, writers_stop, stop, presses }
    }

    pub fn nobody_writes_any_more(&self) {
        self.writers_stop.cancel();
    }

    /// Everybody finishes the press they are at, and goes.
    pub async fn ends(mut self) {
        self.stop.cancel();
        while let Some(gone) = self.people.join_next().await {
            gone.unwrap();
        }
    }
}

impl Presses {
    /// How many presses that began after an instant were acknowledged.
    pub fn acknowledged_since(&self, instant: Instant) -> usize {
        let presses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = presses.iter().filter(|press| press.began >= instant);
        since.filter(|press| press.acknowledged.is_some()).count()
    }

    /// How many presses that began after an instant are over without that.
    pub fn refused_since(&self, instant: Instant) -> usize {
        let presses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = presses.iter().filter(|press| press.began >= instant);
        since.filter(|press| press.acknowledged.is_none()).count()
    }

    /// When the first press that began after an instant was acknowledged; waits for it.
    pub async fn first_since(&self, instant: Instant) -> Instant {
        let mut first = None;
        sooner_or_later("a press is acknowledged again", async || {
            let presses = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let since = presses.iter().filter(|press| press.began >= instant);
            first = since.filter_map(|press| press.acknowledged).min();
            first.is_some()
        })
        .await;
        first.unwrap()
    }
}

fn until(
    stop: &CancellationToken,
    work: impl Future<Output = ()> + Send + 'static,
) -> impl Future<Output = ()> + Send + 'static {
    let stop = stop.clone();
    async move {
        tokio::select! {
            () = work => {}
            () = stop.cancelled() => {}
        }
    }
}

/// Every invoice has a number of its own, so that a payment that comes twice is seen.
async fn write(slack: Arc<SandboxHandle>) {
    let number = AtomicU64::new(1000);
    for name in WRITERS.into_iter().cycle() {
        let invoice = format!("V-{}", number.fetch_add(1, Ordering::Relaxed));
        slack.person(name).writes_to_bot(&format!("pay invoice {invoice}"));
        tokio::time::sleep(BETWEEN_WISHES).await;
    }
}

async fn deliver(slack: Arc<SandboxHandle>) {
    loop {
        if slack.deliver_due().await == 0 {
            tokio::time::sleep(REST).await;
        }
    }
}

/// Presses what waits, and what was decided long ago: that is answered as well, and kept.
async fn press(
    slack: Arc<SandboxHandle>,
    name: &'static str,
    nth: usize,
    presses: Presses,
    stop: CancellationToken,
) {
    let me = slack.person(name);
    let mut seen: Vec<MessageView> = Vec::new();
    // One after the other, so that somebody presses about every half second.
    tokio::time::sleep(BETWEEN_PRESSES / 4 * nth as u32).await;
    for turn in nth.. {
        if stop.is_cancelled() {
            return;
        }
        let open: Vec<MessageView> = me.sees("#approvals").into_iter().filter(asks).collect();
        for card in &open {
            if !seen.iter().any(|known| known.at == card.at) {
                seen.push(card.clone());
            }
        }
        let among = if turn % 3 == 0 || open.is_empty() { &seen } else { &open };
        if !among.is_empty() {
            let card = &among[turn % among.len()];
            let began = Instant::now();
            let answered = me.clicks(card, "Approve").await.status == 200;
            let acknowledged = answered.then(Instant::now);
            let mut presses = presses.0.lock().unwrap_or_else(PoisonError::into_inner);
            presses.push(Press { began, acknowledged });
        }
        tokio::time::sleep(BETWEEN_PRESSES).await;
    }
}
