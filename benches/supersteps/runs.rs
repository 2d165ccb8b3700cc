//! Checkpoints in the desk's own store, as `work/runs.rs` keeps them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::approval::SlackUser;
use countersign::base::{RandomIds, RunId, Span, SystemClock, WorkspaceId};
use countersign::graph::{At, SaveError, Saver, Snapshot, Turn};
use countersign::store::{Definitions, NewMessage, SaveTurn, Store};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Runs on a database of their own.
pub struct Runs {
    store: Store,
    begun: AtomicUsize,
}

impl Runs {
    pub async fn open(url: &str) -> Self {
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let store = Store::open(url, clock, ids).await.expect("a store");
        Self { store, begun: AtomicUsize::new(0) }
    }

    /// A new run in a conversation of its own, claimed.
    pub async fn begin(&self) -> StoreSaver {
        let nth = self.begun.fetch_add(1, Ordering::Relaxed);
        self.store.take_message(message(nth)).await.expect("the message is taken");
        let known = Definitions::of([("bench".to_owned(), String::new())]);
        let claimed = self.store.claim_runs("bench", Span::minutes(60), 1, &known).await;
        let run = claimed.expect("a claim").pop().expect("a run");
        StoreSaver { store: self.store.clone(), run: run.id, epoch: run.epoch }
    }
}

fn message(nth: usize) -> NewMessage {
    let user = SlackUser { team: "T1".to_owned(), user: "U1".to_owned(), enterprise: None };
    NewMessage {
        workspace: WorkspaceId::existing("T1"),
        event_key: format!("event:{nth}"),
        message_key: format!("message:{nth}"),
        body_hash: String::new(),
        agent: "bench".to_owned(),
        graph_hash: String::new(),
        channel: "D1".to_owned(),
        thread_ts: format!("{nth}.0"),
        user,
        text: "count to a hundred".to_owned(),
        ts: format!("{nth}.0"),
        told_to_wait: String::new(),
    }
}

/// Keeps the turns of one run: each superstep is one transaction. The run stays claimed.
#[derive(Clone)]
pub struct StoreSaver {
    pub store: Store,
    run: RunId,
    epoch: u64,
}

impl Saver for StoreSaver {
    fn load<'a>(&'a self, at: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        async move {
            let checkpoint = at.checkpoint.as_deref();
            let found = self.store.load_snapshot(&self.run, &at.namespace, checkpoint).await;
            found
                .map_err(SaveError::new)?
                .map(Snapshot::try_from)
                .transpose()
                .map_err(SaveError::new)
        }
        .boxed()
    }

    fn history<'a>(
        &'a self,
        namespace: &'a str,
    ) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        async move {
            let found = self.store.load_history(&self.run, namespace).await;
            let snapshots = found.map_err(SaveError::new)?.into_iter().map(Snapshot::try_from);
            snapshots.collect::<Result<_, _>>().map_err(SaveError::new)
        }
        .boxed()
    }

    fn save(&self, turn: Turn) -> BoxFuture<'_, Result<(), SaveError>> {
        async move {
            let checkpoints = turn.checkpoints.into_iter().map(TryInto::try_into);
            let writes = turn.tasks.iter().map(TryInto::try_into);
            let turn = SaveTurn {
                run: self.run.clone(),
                epoch: self.epoch,
                namespace: turn.namespace,
                checkpoints: checkpoints.collect::<Result<_, _>>().map_err(SaveError::new)?,
                writes: writes.collect::<Result<_, _>>().map_err(SaveError::new)?,
                // The questions of the bench are no requests, so the store knows of no answers.
                consumed: Vec::new(),
                questions: Vec::new(),
                notices: Vec::new(),
                events: Vec::new(),
                ending: None,
            };
            self.store.save_turn(turn).await.map_err(SaveError::new)
        }
        .boxed()
    }
}
