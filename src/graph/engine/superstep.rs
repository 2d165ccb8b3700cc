//! Runs the tasks of one superstep side by side, and keeps what is finished while the rest runs.

use std::pin::{Pin, pin};
use std::task::Poll;

use futures::future::{self, Either, OptionFuture};
use futures::stream::{FuturesUnordered, Stream, StreamExt};

use super::drive::Engine;
use super::position::Task;
use super::task::Outcome;
use crate::graph::{RunError, TaskRecord};

impl Engine<'_> {
    /// Runs the tasks within this future: dropping it drops them all. The first failure drops
    /// those that are still running, and they have no outcome.
    pub(super) async fn attempt_all(
        &self,
        tasks: &[Task],
        mut records: Vec<Option<TaskRecord>>,
    ) -> Result<Vec<Option<Outcome>>, RunError> {
        if let [task] = tasks {
            let record = records.pop().flatten();
            return Ok(vec![Some(self.attempt(task, record).await)]);
        }
        records.resize_with(tasks.len(), || None);
        let mut outcomes: Vec<_> = tasks.iter().map(|_| None).collect();
        let mut running: FuturesUnordered<_> = tasks
            .iter()
            .zip(records)
            .enumerate()
            .map(|(place, (task, record))| async move { (place, self.attempt(task, record).await) })
            .collect();
        // What is finished is saved once nothing else is, one save at a time.
        let mut unsaved: Vec<TaskRecord> = Vec::new();
        let mut saving: Pin<Box<OptionFuture<_>>> = Box::pin(None.into());
        let mut is_saving = false;
        let mut failed = false;
        loop {
            let ended = match ready(&mut running).await {
                Poll::Ready(ended) => ended,
                // What could finish beside a failure has done so; the rest is cut off.
                Poll::Pending if failed => break,
                Poll::Pending => {
                    if !is_saving && !unsaved.is_empty() {
                        let batch = std::mem::take(&mut unsaved);
                        saving = Box::pin(Some(self.shared.keep_tasks(batch)).into());
                        is_saving = true;
                    }
                    if is_saving {
                        match future::select(pin!(running.next()), saving.as_mut()).await {
                            Either::Left((ended, _)) => ended,
                            Either::Right((saved, _)) => {
                                is_saving = false;
                                saved.unwrap_or(Ok(()))?;
                                continue;
                            }
                        }
                    } else {
                        running.next().await
                    }
                }
            };
            let Some((place, outcome)) = ended else { break };
            failed |= matches!(outcome, Outcome::Failed { .. } | Outcome::Handed { .. });
            if let Outcome::Finished(finished) = &outcome
                && !finished.cached
                && self.shared.saver.keeps()
            {
                unsaved.push(self.finished_record(&tasks[place], finished));
            }
            outcomes[place] = Some(outcome);
        }
        if is_saving {
            saving.await.unwrap_or(Ok(()))?;
        }
        Ok(outcomes)
    }
}

/// What the stream has now, without waiting for it.
async fn ready<S: Stream + Unpin>(stream: &mut S) -> Poll<Option<S::Item>> {
    future::poll_fn(|cx| Poll::Ready(stream.poll_next_unpin(cx))).await
}
