//! Group commit: one task owns the writing connection and commits what is waiting together.
//!
//! A durable commit costs milliseconds, a statement microseconds. So the writer takes the first
//! job, then whatever else queues up while jobs are run, each inside a savepoint of its own in one
//! transaction, and answers all callers after the one commit. A job that fails or panics undoes
//! only itself. A caller who goes away changes nothing: the job runs and is committed.
//!
//! The writer has a thread of its own: SQLite works on it ([`Conn`](super::Conn)), and a server is
//! waited for. Several words of transaction control are said in one breath.

use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::events::Feed;
use super::job::{Job, TypedJob};
use super::line::Line;
use super::tally::Counted;
use super::{StoreError, Tx};
use crate::base::Clock;
use crate::base::failpoint::{self, Point};

/// How many jobs share a commit at most: enough to hide its cost, few enough to stay quick.
const BATCH: usize = 128;
/// How many jobs may wait before callers have to.
const QUEUE: usize = 4096;

/// Where jobs are handed in.
#[derive(Clone)]
pub(super) struct Writer(mpsc::Sender<Command>);

enum Command {
    Run(Box<dyn Job>),
    Close(oneshot::Sender<()>),
}

type Jobs = Vec<Box<dyn Job>>;

/// Jobs that are to share a commit.
#[derive(Default)]
struct Batch {
    jobs: Jobs,
    /// As many of them have had their turn.
    run: usize,
}

impl Batch {
    /// Tells everybody their fate whom it concerns. Whoever has not had their turn while others had has
    /// it next; if nobody had it, nobody can.
    fn answer(mut self, committed: &Result<(), StoreError>) -> Self {
        let left = match self.run {
            0 => Jobs::new(),
            run => self.jobs.split_off(run),
        };
        for job in self.jobs {
            job.answer(committed.clone());
        }
        Self { jobs: left, run: 0 }
    }
}

impl Writer {
    /// Starts the thread. It ends, closes the connection and lets go of the lock when it is told
    /// to or when nobody can hand in jobs any more.
    pub(super) fn start(
        tx: Tx,
        line: Line,
        clock: Arc<dyn Clock>,
        feed: Feed,
    ) -> std::io::Result<Self> {
        let (sender, commands) = mpsc::channel(QUEUE);
        let waiting = Waiting { commands, closers: Vec::new() };
        let executor = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || executor.block_on(keep_writing(tx, line, clock, feed, waiting)))?;
        Ok(Self(sender))
    }

    /// Runs `work` in a transaction and answers after its commit.
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, StoreError>> + Send + 'static,
    {
        let (job, answer) = TypedJob::new(work);
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

/// What was handed in and not yet taken.
struct Waiting {
    commands: mpsc::Receiver<Command>,
    closers: Vec<oneshot::Sender<()>>,
}

impl Waiting {
    /// Whatever is left, or some jobs as soon as there is one; nothing when there will be none any more.
    async fn some(&mut self, mut left: Batch) -> Option<Batch> {
        if left.jobs.is_empty() {
            let command = self.commands.recv().await?;
            self.take(command, &mut left.jobs);
        }
        self.more(&mut left.jobs);
        Some(left)
    }

    /// Whatever else is there by now, as far as it fits.
    fn more(&mut self, jobs: &mut Jobs) {
        while jobs.len() < BATCH
            && let Ok(command) = self.commands.try_recv()
        {
            self.take(command, jobs);
        }
    }

    fn take(&mut self, command: Command, jobs: &mut Jobs) {
        match command {
            Command::Run(job) => jobs.push(job),
            Command::Close(done) => {
                // What was handed in before is still done; nothing new is taken.
                self.commands.close();
                self.closers.push(done);
            }
        }
    }
}

async fn keep_writing(
    mut tx: Tx,
    mut line: Line,
    clock: Arc<dyn Clock>,
    feed: Feed,
    mut waiting: Waiting,
) {
    let mut left = Batch::default();
    while let Some(mut batch) = waiting.some(left).await {
        let committed =
            commit_together(&mut tx, &mut line, clock.as_ref(), &mut batch, &mut waiting).await;
        let told = tx.told.drain(..);
        if committed.is_ok() {
            feed.publish(told);
        }
        left = batch.answer(&committed);
    }
    line.close(tx.conn).await;
    for done in waiting.closers {
        let _ = done.send(());
    }
}

/// Runs jobs in one transaction. An error is the fate of every job that had succeeded:
/// [`StoreError::Unknown`] when nobody knows, any other when certainly nothing was written.
async fn commit_together(
    tx: &mut Tx,
    line: &mut Line,
    clock: &dyn Clock,
    batch: &mut Batch,
    waiting: &mut Waiting,
) -> Result<(), StoreError> {
    if batch.jobs.is_empty() {
        return Ok(());
    }
    match begin(tx, line, clock).await {
        // It may have gone long ago, and no job has run yet: if it is back, nobody needs to know.
        Err(StoreError::Lost(_)) => begin(tx, line, clock).await?,
        begun => begun?,
    }
    match line.patiently(run_each(tx, line, clock, batch, waiting)).await {
        Ok(Kept::Something) => {
            failpoint::reach(Point::BatchWritten);
            tx.conn.count(Counted::Commit);
            line.commit(tx).await?;
            failpoint::reach(Point::BatchCommitted);
            Ok(())
        }
        Ok(Kept::Nothing) => {
            line.undo(tx).await;
            Ok(())
        }
        Err(error) => {
            // SQLite gives the whole transaction up when the disk is full.
            line.give_up(tx, &error).await;
            Err(error)
        }
    }
}

async fn begin(tx: &mut Tx, line: &mut Line, clock: &dyn Clock) -> Result<(), StoreError> {
    line.is_there(tx).await?;
    let begun = line.patiently(line.begin(tx, clock)).await;
    if let Err(error) = &begun {
        line.give_up(tx, error).await;
    }
    begun
}

/// Whether any job of a batch has something to commit.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Something,
    Nothing,
}

/// Runs each job in the savepoint that is open, and opens another after one that is kept. Where each
/// job reads the clock, what is handed in meanwhile shares the commit as well. Where other processes wait
/// for their turn, what does not fit into ours has its own afterwards.
async fn run_each(
    tx: &mut Tx,
    line: &Line,
    clock: &dyn Clock,
    batch: &mut Batch,
    waiting: &mut Waiting,
) -> Result<Kept, StoreError> {
    let mut kept = Kept::Nothing;
    let mut before = Kept::Nothing;
    let began = Instant::now();
    waiting.more(&mut batch.jobs);
    while let Some(job) = batch.jobs.get_mut(batch.run) {
        if batch.run > 0 && line.has_had_its_turn(began.elapsed()) {
            break;
        }
        batch.run += 1;
        if before == Kept::Something {
            tx.raw("RELEASE SAVEPOINT job; SAVEPOINT job").await?;
        }
        line.moves_on(tx, clock);
        tx.conn.count(Counted::Transaction);
        before = match job.run(tx).await {
            Ok(()) => Kept::Something,
            Err(why) => {
                tx.raw("ROLLBACK TO SAVEPOINT job").await.map_err(|error| match error {
                    StoreError::Lost(why) => StoreError::Lost(why),
                    _ => why,
                })?;
                Kept::Nothing
            }
        };
        if before == Kept::Something {
            kept = Kept::Something;
        }
        if line.each_job_has_its_instant() {
            waiting.more(&mut batch.jobs);
        }
    }
    Ok(kept)
}

#[cfg(test)]
mod tests;
