//! Checkpoints in the desk's own store, as `work/runs.rs` keeps them.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use countersign::approval::SlackUser;
use countersign::base::{RandomIds, RunId, Span, SystemClock, WorkspaceId};
use countersign::graph::{At, SaveError, Saver, Snapshot, Turn, TurnStatus};
use countersign::store::{Ending, NewMessage, SaveTurn, Store};
use futures::FutureExt;
use futures::future::BoxFuture;

/// Runs on a database of their own.
pub struct Runs {
    store: Store,
    begun: AtomicUsize,
}

impl Runs {
    pub async fn open(folder: &Path) -> Self {
        let url = format!("sqlite://{}", folder.join("desk.db").display());
        let (clock, ids) = (Arc::new(SystemClock), Arc::new(RandomIds));
        let store = Store::open(&url, clock, ids).await.expect("a store");
        Self { store, begun: AtomicUsize::new(0) }
    }

    /// A new run in a conversation of its own, claimed.
    pub async fn begin(&self) -> SqliteSaver {
        let nth = self.begun.fetch_add(1, Ordering::Relaxed);
        self.store.take_message(message(nth)).await.expect("the message is taken");
        let claimed = self.store.claim_runs("bench", Span::minutes(60), 1).await;
        let run = claimed.expect("a claim").pop().expect("a run");
        SqliteSaver { store: self.store.clone(), run: run.id, epoch: run.epoch }
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

/// Keeps the turns of one run: each superstep is one transaction.
pub struct SqliteSaver {
    store: Store,
    run: RunId,
    epoch: u64,
}

impl Saver for SqliteSaver {
    /// Every run of the bench is new.
    fn load<'a>(&'a self, _: &'a At) -> BoxFuture<'a, Result<Option<Snapshot>, SaveError>> {
        std::future::ready(Ok(None)).boxed()
    }

    fn history<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<Vec<Snapshot>, SaveError>> {
        std::future::ready(Ok(Vec::new())).boxed()
    }

    fn save(&self, turn: Turn) -> BoxFuture<'_, Result<(), SaveError>> {
        async move {
            let checkpoints = turn.checkpoints.into_iter().map(TryInto::try_into);
            let turn = SaveTurn {
                run: self.run.clone(),
                epoch: self.epoch,
                namespace: turn.namespace,
                checkpoints: checkpoints.collect::<Result<_, _>>().map_err(SaveError::new)?,
                writes: Vec::new(),
                consumed: turn.consumed,
                questions: Vec::new(),
                notices: Vec::new(),
                events: Vec::new(),
                ending: (turn.status == TurnStatus::Finished).then_some(Ending::Done),
            };
            self.store.save_turn(turn).await.map_err(SaveError::new)
        }
        .boxed()
    }
}
