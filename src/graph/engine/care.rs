//! Nodes that are tried again, limited in time, or stood in for.

use std::time::Duration;

use futures::future::{self, Either};

use super::drive::Engine;
use super::task::{Finished, Outcome, Tried};
use crate::graph::context::{Before, Place};
use crate::graph::graph::{Care, Handler, NodeSpec};
use crate::graph::{
    By, Context, Event, NodeError, RetryPolicy, State, TaskError, TimeLimit, TimedOut, ids,
};

impl Engine<'_> {
    pub(super) async fn attempt_with_care(
        &self,
        spec: &NodeSpec,
        place: Place,
        state: State,
        mut before: Before,
        earlier: Option<TaskError>,
    ) -> Outcome {
        let Some(care) = spec.care.as_deref() else {
            let context = Context::new(place, 1, None, before);
            let tried = self.try_node(spec, &context, &state).await;
            return self.conclude(spec, &context, tried, earlier);
        };
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
                        Some(handler) => self.stand_in(spec, handler, context, state, error).await,
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
    async fn stand_in(
        &self,
        spec: &NodeSpec,
        handler: &Handler,
        failed: Context,
        state: State,
        error: NodeError,
    ) -> Outcome {
        let told = TaskError::of_try(&spec.name, &error);
        let mut place = failed.0.place.clone();
        place.node = std::sync::Arc::clone(&handler.name);
        let context = Context::new(place, 1, Some(told.clone()), failed.so_far());
        if self.shared.heard {
            let task = context.info();
            self.shared.tell(Event::NodeStarted { task, input: &state, attempt: 1 });
        }
        let result = handler.node.run(&context, state.clone()).await;
        let tried = self.judge(spec, &context, &state, result);
        if self.shared.heard && matches!(tried, Tried::Finished { .. }) {
            self.shared.tell(Event::NodeFailed { task: failed.info(), error: &told });
        }
        match tried {
            Tried::Finished { update, leads } => {
                let mut record = failed.record();
                record.error = Some(told);
                record.steps.clear();
                let record = Some(Box::new(record));
                Outcome::Finished(Finished {
                    update,
                    leads,
                    by: By::Handler,
                    record,
                    cached: false,
                })
            }
            // What the handler asks is the node's question: the node is tried anew with it.
            tried => self.conclude(spec, &context, tried, Some(told)).of_task(&failed),
        }
    }
}

impl Outcome {
    /// Files what a handler asked or failed with under the task that it stands in for.
    fn of_task(mut self, context: &Context) -> Self {
        if let Self::Asking(record) | Self::Failed { record, .. } | Self::Handed { record, .. } =
            &mut self
        {
            context.task_id().clone_into(&mut record.task);
            record.node = std::sync::Arc::clone(&context.0.place.node);
        }
        self
    }
}
