//! A checked graph, ready to run.

use std::sync::Arc;

use super::{EventSink, Input, Limits, RunEnd, RunError, Saver};

/// A graph that was built and checked. It holds no run: any number of runs share one.
pub struct Graph;

impl Graph {
    /// Runs the graph on one thread until it ends, asks, pauses or fails. Dropping the future
    /// cancels it: what was saved stays saved, and nothing goes on behind the caller's back.
    ///
    /// # Errors
    /// See [`RunError`].
    pub async fn run(
        &self,
        _input: Input,
        _saver: &dyn Saver,
        _events: Arc<dyn EventSink>,
        _limits: Limits,
    ) -> Result<RunEnd, RunError> {
        todo!()
    }

    /// 64 lower-case hex digits of SHA-256 over everything the builder was told: names, keys with
    /// reducers, edges, pauses and the author's version string.
    pub fn definition_hash(&self) -> String {
        todo!()
    }
}
