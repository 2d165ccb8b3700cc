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
    others: Option<mpsc::UnboundedSender<String>>,
}

/// Nothing in place of a batch means: another process has told more, and the log has it.
type Listeners = HashMap<RunId, broadcast::Sender<Option<Arc<Batch>>>>;

/// Hears every batch of one run that is committed from now on.
pub struct Listener {
    news: broadcast::Receiver<Option<Arc<Batch>>>,
    patience: Option<Duration>,
}

impl Feed {
    /// One that other processes hear of.
    pub(in crate::store) fn heard_by(others: mpsc::UnboundedSender<String>) -> Self {
        Self { listeners: Arc::default(), others: Some(others) }
    }

    pub(in crate::store) fn listen(&self, run: &RunId) -> Listener {
        let mut listeners = self.listeners.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = listeners.entry(run.clone()).or_insert_with(|| broadcast::channel(BACKLOG).0);
        Listener { news: sender.subscribe(), patience: self.others.as_ref().map(|_| LOOK_AGAIN) }
    }

    /// Tells what was committed, in the order of the commits.
    pub(in crate::store) fn publish(&self, told: impl IntoIterator<Item = Batch>) {
        for batch in told {
            if let Some(others) = &self.others {
                // An error means that the store is closing.
                let _ = others.send(hints::about(&batch.run));
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
        match self.patience {
            None => self.news.recv().await.ok().flatten(),
            Some(patience) => {
                let news = tokio::time::timeout(patience, self.news.recv()).await;
                news.ok()?.ok().flatten()
            }
        }
    }
}
