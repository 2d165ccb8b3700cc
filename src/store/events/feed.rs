//! Who listens to a run inside this process. A hint with the news in it: whoever misses one reads
//! the log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{broadcast, mpsc};

use super::Batch;
use crate::base::RunId;
use crate::store::hints;

/// How many batches a listener may be behind before it has to read the log instead.
const BACKLOG: usize = 256;
/// How long a listener hears nothing before it looks, where other processes may have told more.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// Hands committed events to those who listen.
#[derive(Clone, Default)]
pub(in crate::store) struct Feed {
    listeners: Arc<Mutex<Listeners>>,
    /// Where other processes are told that there is more. Absent where there are none.
    others: Option<mpsc::Sender<String>>,
}

/// Nothing in place of a batch means: another process has told more, and the log has it.
type Listeners = HashMap<RunId, broadcast::Sender<Option<Arc<Batch>>>>;

/// Hears every batch of one run that is committed from now on.
pub struct Listener {
    run: RunId,
    /// There until it is dropped.
    news: Option<broadcast::Receiver<Option<Arc<Batch>>>>,
    patience: Option<Duration>,
    listeners: Arc<Mutex<Listeners>>,
}

impl Feed {
    /// One that other processes hear of.
    pub(in crate::store) fn heard_by(others: mpsc::Sender<String>) -> Self {
        Self { listeners: Arc::default(), others: Some(others) }
    }

    pub(in crate::store) fn listen(&self, run: &RunId) -> Listener {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = listeners.entry(run.clone()).or_insert_with(|| broadcast::channel(BACKLOG).0);
        Listener {
            run: run.clone(),
            news: Some(sender.subscribe()),
            patience: self.others.as_ref().map(|_| LOOK_AGAIN),
            listeners: self.listeners.clone(),
        }
    }

    /// Tells what was committed, in the order of the commits.
    pub(in crate::store) fn publish(&self, told: impl IntoIterator<Item = Batch>) {
        for batch in told {
            if let Some(others) = &self.others {
                // A hint that finds no room, or nobody any more, is lost like any other.
                let _ = others.try_send(hints::about(&batch.run));
            }
            let run = batch.run.clone();
            self.tell(&run, Some(Arc::new(batch)));
        }
    }

    /// Another process has told more of a run.
    pub(in crate::store) fn missed(&self, run: &RunId) {
        self.tell(run, None);
    }

    /// Other processes may have told more of any run.
    pub(in crate::store) fn missed_some(&self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        listeners.retain(|_, sender| sender.send(None).is_ok());
    }

    fn tell(&self, run: &RunId, news: Option<Arc<Batch>>) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        // An error means that the last listener has left.
        if listeners.get(run).is_some_and(|sender| sender.send(news).is_err()) {
            listeners.remove(run);
        }
    }
}

impl Listener {
    /// The next batch, or nothing when some may have been missed: then the log has them.
    pub async fn next(&mut self) -> Option<Arc<Batch>> {
        let news = self.news.as_mut()?.recv();
        match self.patience {
            None => news.await.ok().flatten(),
            Some(patience) => tokio::time::timeout(patience, news).await.ok()?.ok().flatten(),
        }
    }
}

impl Drop for Listener {
    /// A run that has ended tells nothing more that would show that the last listener has left.
    fn drop(&mut self) {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        self.news = None;
        if listeners.get(&self.run).is_some_and(|sender| sender.receiver_count() == 0) {
            listeners.remove(&self.run);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_runs_that_nobody_listens_to_nothing_is_kept() {
        let feed = Feed::default();
        let runs: Vec<RunId> = (0..1000).map(|nth| RunId::existing(format!("run_{nth}"))).collect();
        let once: Vec<Listener> = runs.iter().map(|run| feed.listen(run)).collect();
        let stays = feed.listen(&runs[7]);
        drop(once);
        let mut left: Vec<RunId> = feed.listeners.lock().unwrap().keys().cloned().collect();
        assert_eq!(left.pop(), Some(runs[7].clone()));
        assert!(left.is_empty(), "{left:?}");
        drop(stays);
        assert!(feed.listeners.lock().unwrap().is_empty());
    }
}
