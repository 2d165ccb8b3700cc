//! Group commit: one task owns the writing connection and commits what is waiting together.
//!
//! A durable commit costs milliseconds, a statement microseconds. So the writer takes the first
//! job, then whatever else has queued up meanwhile, runs each inside a savepoint of its own in one
//! transaction, and answers all callers after the one commit. A job that fails or panics undoes
//! only itself. A caller who goes away changes nothing: the job runs and is committed.
//!
//! Each statement is a round trip to the thread that SQLite runs on. The writer therefore has a
//! thread of its own, which is woken for less than a task among many, and says several words of
//! transaction control in one breath.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures::FutureExt;
use futures::future::BoxFuture;
use sqlx::Connection;
use tokio::sync::{mpsc, oneshot};

use super::events::Feed;
use super::lock::FileLock;
use super::{StoreError, Tx};
use crate::base::Clock;

/// How many jobs share a commit at most: enough to hide its cost, few enough to stay quick.
const BATCH: usize = 64;
/// How many jobs may wait before callers have to.
const QUEUE: usize = 4096;

/// Where jobs are handed in.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Command>);

enum Command {
    Run(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

impl Writer {
    /// Starts the thread. It ends, closes the connection and lets go of the lock when it is told
    /// to or when nobody can hand in jobs any more.
    pub(super) fn start(
        tx: Tx,
        clock: Arc<dyn Clock>,
        feed: Feed,
        lock: Option<FileLock>,
    ) -> std::io::Result<Self> {
        let (sender, commands) = mpsc::channel(QUEUE);
        let executor = tokio::runtime::Builder::new_current_thread().build()?;
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || executor.block_on(keep_writing(tx, clock, feed, commands, lock)))?;
        Ok(Self(sender))
    }

    /// Runs `work` in a transaction and answers after its commit.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = TypedJob { work: Some(work), outcome: None, reply };
        self.0.send(Command::Run(Box::new(job))).await.map_err(|_| StoreError::Closed)?;
        answer.await.map_err(|_| StoreError::Closed)?
    }

    pub(super) async fn close(&self) {
        let (done, closed) = oneshot::channel();
        if self.0.send(Command::Close(done)).await.is_ok() {
            // An error means that the task ended by itself: closed as well.
            let _ = closed.await;
        }
    }
}

/// A job whose result type is hidden from the writer.
trait Job: Send {
    /// Runs it and keeps the outcome; says whether its changes may stay.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>>;

    /// Tells the caller, now that the fate of the transaction is known.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct TypedJob<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for TypedJob<T, F>
where
    T: Send + 'static,
    F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
{
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Ok(());
            };
            // A half-done job is rolled back whole, so nothing it left broken can be seen.
            let told = tx.told.len();
            let run = AssertUnwindSafe(async { work(tx).await }).catch_unwind();
            let outcome = run.await.unwrap_or(Err(StoreError::Panicked));
            if outcome.is_err() {
                tx.told.truncate(told);
            }
            let kept = outcome.as_ref().map(drop).map_err(StoreError::clone);
            self.outcome = Some(outcome);
            kept
        })
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = match (self.outcome, committed) {
            // It undid itself before: its own error is the truth, whatever became of the others.
            (Some(Err(error)), _) => Err(error),
            (Some(Ok(value)), Ok(())) => Ok(value),
            (None, Ok(())) => Err(StoreError::Closed),
            (_, Err(error)) => Err(error),
        };
        // Nobody may be waiting any more; the row tells the truth to whoever asks next.
        let _ = self.reply.send(outcome);
    }
}

async fn keep_writing(
    mut tx: Tx,
    clock: Arc<dyn Clock>,
    feed: Feed,
    mut commands: mpsc::Receiver<Command>,
    lock: Option<FileLock>,
) {
    let mut taken = Vec::with_capacity(BATCH);
    let mut poisoned = false;
    let mut closers = Vec::new();
    while commands.recv_many(&mut taken, BATCH).await > 0 {
        let mut jobs: Vec<Box<dyn Job>> = Vec::with_capacity(taken.len());
        for command in taken.drain(..) {
            match command {
                Command::Run(job) => jobs.push(job),
                Command::Close(done) => {
                    // What was handed in before is still done; nothing new is taken.
                    commands.close();
                    closers.push(done);
                }
            }
        }
        let committed = match poisoned {
            true => Err(StoreError::Poisoned),
            false => commit_together(&mut tx, clock.as_ref(), &mut jobs).await,
        };
        if matches!(committed, Err(StoreError::Unknown)) {
            tracing::error!("a commit failed and its outcome is unknown; refusing to write on");
            poisoned = true;
        }
        let told = tx.told.drain(..);
        if committed.is_ok() {
            feed.publish(told);
        }
        for job in jobs {
            job.answer(committed.clone());
        }
    }
    if let Err(error) = tx.conn.close().await {
        tracing::warn!(%error, "the writing connection did not close cleanly");
    }
    drop(lock);
    for done in closers {
        let _ = done.send(());
    }
}

/// Runs all jobs in one transaction. An error is the fate of every job that had succeeded:
/// [`StoreError::Unknown`] when nobody knows, any other when certainly nothing was written.
async fn commit_together(
    tx: &mut Tx,
    clock: &dyn Clock,
    jobs: &mut [Box<dyn Job>],
) -> Result<(), StoreError> {
    if jobs.is_empty() {
        return Ok(());
    }
    if let [job] = jobs {
        tx.raw("BEGIN IMMEDIATE").await?;
        tx.moved_on(clock.now());
        if job.run(tx).await.is_err() {
            tx.undo().await;
            return Ok(());
        }
    } else {
        tx.raw("BEGIN IMMEDIATE; SAVEPOINT job").await?;
        for job in jobs {
            tx.moved_on(clock.now());
            if let Err(lost) = in_savepoint(tx, job.as_mut()).await {
                // SQLite gave the whole transaction up, as it does when the disk is full.
                tx.undo().await;
                return Err(lost);
            }
        }
    }
    match tx.raw("COMMIT").await {
        Ok(()) => Ok(()),
        // The frames did not fit, so the commit cannot have become durable.
        Err(StoreError::Full) => {
            tx.undo().await;
            Err(StoreError::Full)
        }
        Err(error) => {
            tracing::error!(%error, "the commit failed");
            Err(StoreError::Unknown)
        }
    }
}

/// Runs a job in the savepoint that is open, and opens the one for the next.
async fn in_savepoint(tx: &mut Tx, job: &mut dyn Job) -> Result<(), StoreError> {
    match job.run(tx).await {
        Ok(()) => tx.raw("RELEASE job; SAVEPOINT job").await,
        Err(why) => tx.raw("ROLLBACK TO job").await.map_err(|_| why),
    }
}
