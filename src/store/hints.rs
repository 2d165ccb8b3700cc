//! Hints between the processes on one Postgres: LISTEN and NOTIFY, and nothing but hints.
//!
//! Whoever has committed something says a word, and the others look sooner. A word that is lost,
//! doubled or late costs or saves a poll interval, never a promise. A pooler that hands connections
//! around by transactions loses all of them.

use std::collections::BTreeSet;
use std::time::Duration;

use sqlx::AnyPool;
use sqlx::postgres::PgListener;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::events::Feed;
use super::place::Server;
use super::reader::STILL_THERE;
use crate::base::{Ids, RunId};

const CHANNEL: &str = "countersign";
/// What is said within this time is said together.
const TOGETHER: Duration = Duration::from_millis(10);
/// Postgres takes 8,000 bytes at once; what does not fit is found by polling.
const LONGEST: usize = 7_000;
const AFTER_AN_ERROR: Duration = Duration::from_secs(1);
/// How many hints an ear may be behind; after that it hears that it missed some.
const BACKLOG: usize = 64;

/// Something to look at again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hint {
    /// What this word stands for.
    At(String),
    /// Words may have been lost.
    AtEverything,
}

/// What is said and heard in this process.
#[derive(Clone)]
pub(super) struct Hints {
    mouth: mpsc::Sender<String>,
    heard: broadcast::Sender<Hint>,
}

/// The talk ends when the store is closed or nobody has it any more.
pub(super) struct Talk {
    end: CancellationToken,
    _when_dropped: DropGuard,
}

impl Talk {
    pub(super) fn end(&self) {
        self.end.cancel();
    }
}

impl Hints {
    /// Starts to talk on a server, beside the writing. `words` are what is going to be said.
    pub(super) fn start(
        server: &Server,
        pool: AnyPool,
        ids: &dyn Ids,
        feed: Feed,
        words: mpsc::Receiver<String>,
        mouth: mpsc::Sender<String>,
    ) -> (Self, Talk) {
        let heard = broadcast::channel(BACKLOG).0;
        let end = CancellationToken::new();
        let us = ids.unique();
        let (server, ear, stop) = (server.clone(), heard.clone(), end.clone());
        let ourselves = us.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = hear(&server, &ourselves, &feed, &ear) => {}
                () = stop.cancelled() => {}
            }
        });
        let stop = end.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = say(pool, &us, words) => {}
                () = stop.cancelled() => {}
            }
        });
        let talk = Talk { end: end.clone(), _when_dropped: end.drop_guard() };
        (Self { mouth, heard }, talk)
    }

    /// Says a word without waiting for anybody.
    pub(super) fn say(&self, word: &str) {
        // An error means that there is no room or that the talk has ended; whoever polls finds it.
        let _ = self.mouth.try_send(word.to_owned());
    }

    pub(super) fn listen(&self) -> broadcast::Receiver<Hint> {
        self.heard.subscribe()
    }
}

/// The word for a run that has told more.
pub(super) fn about(run: &RunId) -> String {
    format!("run:{run}")
}

async fn say(pool: AnyPool, us: &str, mut words: mpsc::Receiver<String>) {
    while let Some(word) = words.recv().await {
        tokio::time::sleep(TOGETHER).await;
        let mut together = BTreeSet::from([word]);
        while let Ok(word) = words.try_recv() {
            together.insert(word);
        }
        let mut payload = us.to_owned();
        for word in together {
            if payload.len() + word.len() < LONGEST {
                payload.push(' ');
                payload.push_str(&word);
            }
        }
        let notify = sqlx::query("SELECT pg_notify($1, $2)").bind(CHANNEL).bind(payload);
        match tokio::time::timeout(STILL_THERE, notify.execute(&pool)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::debug!(%error, "a hint was lost"),
            // A server that falls silent with it would have it, and all that follow, for ever.
            Err(_) => tracing::debug!("a hint was lost: nobody answers"),
        }
    }
}

async fn hear(server: &Server, us: &str, feed: &Feed, ear: &broadcast::Sender<Hint>) {
    loop {
        tokio::select! {
            Err(error) = hear_for_a_while(server, us, feed, ear) => {
                tracing::debug!(%error, "no hints can be heard");
            }
            // Whoever says something says it there now.
            () = server.primary().changes() => {}
        }
        tokio::time::sleep(AFTER_AN_ERROR).await;
        missed(feed, ear);
    }
}

async fn hear_for_a_while(
    server: &Server,
    us: &str,
    feed: &Feed,
    ear: &broadcast::Sender<Hint>,
) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect(server.url()).await?;
    listener.listen(CHANNEL).await?;
    loop {
        let Some(notice) = listener.try_recv().await? else {
            missed(feed, ear);
            continue;
        };
        let mut words = notice.payload().split(' ');
        if words.next() == Some(us) {
            continue;
        }
        for word in words {
            match word.strip_prefix("run:") {
                Some(run) => feed.missed(&RunId::existing(run)),
                // An error means that nobody listens.
                None => drop(ear.send(Hint::At(word.to_owned()))),
            }
        }
    }
}

fn missed(feed: &Feed, ear: &broadcast::Sender<Hint>) {
    feed.missed_some();
    // An error means that nobody listens.
    let _ = ear.send(Hint::AtEverything);
}
