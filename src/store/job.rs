//! A job of the writer: what one caller wants done in a transaction, and the way back to them.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

use super::{StoreError, Tx};

/// A job whose result type is hidden from the writer.
pub(super) trait Job: Send {
    /// Runs it and keeps the outcome; says whether its changes may stay.
    fn run<'t>(&'t mut self, tx: &'t mut Tx) -> BoxFuture<'t, Result<(), StoreError>>;

    /// Tells the caller, now that the fate of the transaction is known.
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

pub(super) struct TypedJob<T, F> {
    work: Option<F>,
    outcome: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> TypedJob<T, F> {
    /// The job, and where its answer will be.
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        (Self { work: Some(work), outcome: None, reply }, answer)
    }
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
