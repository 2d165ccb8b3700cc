//! Nodes that are tried again, limited in time, or stood in for.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{self, Either};

use super::drive::Engine;
use super::task::{Outcome, Tried};
use crate::graph::context::{Before, Place};
use crate::graph::graph::{Care, Handler, NodeSpec};
use crate::graph::{
    By, Context, Event, NodeError, RetryPolicy, State, TaskError, TaskRecord, TimeLimit, TimedOut,
    ids,
};

impl Engine<'_> {
    pub(super) async fn attempt_with_care(
        &self,
        spec: &NodeSpec,
        care: &Care,
        place: Place,
        state: State,
        mut before: Before,
        earlier: Option<TaskError>,
    ) -> Outcome {
        let mut attempt = 1;
        loop {
            let context = Context::new(place.clone(), attempt, None, before);
            let tried = self.try_in_time(spec, care, &context, &state).await;
            let Tried::Failed(error) = tried else {
                return self.conclude(spec, &context, tried, earlier);
            };
            let policy = care.retry.iter().find(|policy| policy.retry_on.matches(&error));
            match policy {
                Some(policy) if attempt < policy.max_attempts => {
                    self.back_off(policy, &context, &error).await;
                    before = context.so_far();
                    attempt += 1;
                }
                Some(_) | None => {
                    return match &care.on_error {
                        None => self.conclude(spec, &context, Tried::Failed(error), earlier),
                        Some(handler) => {
                            let told = TaskError::of_try(&spec.name, &error);
                            self.stand_in(spec, handler, context, state, told).await
                        }
                    };
                }
            }
        }
    }

    async fn back_off(&self, policy: &RetryPolicy, context: &Context, error: &NodeError) {
        let share = ids::share(context.task_id(), context.attempt());
        let wait = policy.wait(context.attempt(), share);
        if self.shared.heard {
            let error = TaskError::of_try(context.node(), error);
            let wait_ms = crate::graph::timer::millis(wait);
            self.shared.tell(Event::NodeRetried { task: context.info(), error: &error, wait_ms });
        }
        self.shared.timer.sleep(wait).await;
    }

    async fn try_in_time(
        &self,
        spec: &NodeSpec,
        care: &Care,
        context: &Context,
        state: &State,
    ) -> Tried {
        if care.run_timeout.is_none() && care.idle_timeout.is_none() {
            return self.try_node(spec, context, state).await;
        }
        let limits = future::select(
            Box::pin(self.run_limit(care.run_timeout)),
            Box::pin(self.idle_limit(care.idle_timeout, context)),
        );
        let tried = Box::pin(self.try_node(spec, context, state));
        let (limit, after) = match future::select(tried, limits).await {
            Either::Left((tried, _)) => return tried,
            Either::Right((Either::Left((after, _)), _)) => (TimeLimit::Run, after),
            Either::Right((Either::Right((after, _)), _)) => (TimeLimit::Idle, after),
        };
        let node = spec.name.to_string();
        let error = NodeError::from_source("NodeTimeoutError", TimedOut { node, limit, after });
        Tried::Failed(error)
    }

    async fn run_limit(&self, limit: Option<Duration>) -> Duration {
        match limit {
            None => future::pending().await,
            Some(limit) => {
                self.shared.timer.sleep(limit).await;
                limit
            }
        }
    }

    async fn idle_limit(&self, limit: Option<Duration>, context: &Context) -> Duration {
        let Some(limit) = limit else {
            return future::pending().await;
        };
        let mut heard = context.last_heard();
        let mut rest = limit;
        loop {
            self.shared.timer.sleep(rest).await;
            let last = context.last_heard();
            if last == heard {
                return limit;
            }
            let silent = u64::try_from(self.shared.timer.now() - last).unwrap_or(0);
            heard = last;
            rest = limit.saturating_sub(Duration::from_millis(silent));
            if rest.is_zero() {
                return limit;
            }
        }
    }

    /// Runs the handler in the place of a node that failed for good.
    pub(super) async fn stand_in(
        &self,
        spec: &NodeSpec,
        handler: &Handler,
        failed: Context,
        state: State,
        told: TaskError,
    ) -> Outcome {
        let mut place = failed.0.place.clone();
        place.node = Arc::clone(&handler.name);
        let context = Context::new(place, 1, Some(told.clone()), failed.so_far());
        if self.shared.heard {
            let task = context.info();
            self.shared.tell(Event::NodeStarted { task, input: &state, attempt: 1 });
        }
        let result = handler.node.run(&context, state.clone()).await;
        let tried = self.judge(spec, &context, &state, result);
        let mut outcome = self.conclude(spec, &context, tried, None);
        if self.shared.heard {
            self.shared.tell(Event::NodeFailed { task: failed.info(), error: &told });
        }
        match &mut outcome {
            Outcome::Finished(finished) => {
                let mut record = context.record();
                record.steps.clear();
                record.error = Some(told);
                file_under(&failed, &mut record);
                finished.by = By::Handler;
                finished.record = Some(Box::new(record));
            }
            // Only the handler starts again, and its questions and failure are the node's.
            Outcome::Asking(record) => {
                record.error = Some(told.clone());
                record.handling = Some(told);
                file_under(&failed, record);
            }
            Outcome::Failed { record, .. } | Outcome::Handed { record, .. } => {
                record.error = Some(told);
                file_under(&failed, record);
            }
        }
        outcome
    }
}

/// Files what a handler did under the task that it stands in for.
fn file_under(task: &Context, record: &mut TaskRecord) {
    task.task_id().clone_into(&mut record.task);
    record.node = Arc::clone(&task.0.place.node);
}
