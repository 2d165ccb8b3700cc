//! Who listens to a run inside this process. A hint with the news in it: whoever misses one reads
//! the log.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::broadcast;

use super::Batch;
use crate::base::RunId;

/// How many batches a listener may be behind before it has to read the log instead.
const BACKLOG: usize = 256;

/// Hands committed events to those who listen.
#[derive(Clone, Default)]
pub(in crate::store) struct Feed(Arc<Mutex<Listeners>>);

type Listeners = HashMap<RunId, broadcast::Sender<Arc<Batch>>>;

/// Hears every batch of one run that is committed by this process from now on.
pub struct Listener(broadcast::Receiver<Arc<Batch>>);

impl Feed {
    pub(in crate::store) fn listen(&self, run: &RunId) -> Listener {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = listeners.entry(run.clone()).or_insert_with(|| broadcast::channel(BACKLOG).0);
        Listener(sender.subscribe())
    }

    /// Tells what was committed, in the order of the commits.
    pub(in crate::store) fn publish(&self, told: impl IntoIterator<Item = Batch>) {
        let mut listeners = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for batch in told {
            let run = batch.run.clone();
            // An error means that the last listener has left.
            if listeners.get(&run).is_some_and(|sender| sender.send(Arc::new(batch)).is_err()) {
                listeners.remove(&run);
            }
        }
    }
}

impl Listener {
    /// The next batch, or nothing when some were missed: then the log has them.
    pub async fn next(&mut self) -> Option<Arc<Batch>> {
        self.0.recv().await.ok()
    }
}
