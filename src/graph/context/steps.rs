//! Doing a thing once, however often the node starts again.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Context;
use crate::graph::NodeError;

impl Context {
    /// Does `work` and keeps its result, before it is used: whenever this task starts again, after
    /// a question, a failure or a crash, the result is given back and the work is not done again.
    /// For a model's answer, or an effect that must not be repeated.
    ///
    /// Steps of one name are told apart by their order. With
    /// [`Durability::Exit`](super::super::Durability), a crash forgets them.
    ///
    /// # Errors
    /// Those of `work`, of which nothing is kept; and when the result could not be kept or read.
    pub async fn step<T, Work>(
        &self,
        name: &str,
        work: impl FnOnce() -> Work,
    ) -> Result<T, NodeError>
    where
        T: Serialize + DeserializeOwned,
        Work: Future<Output = Result<T, NodeError>>,
    {
        if let Some(known) = self.known_step(name) {
            return Ok(serde_json::from_value(known)?);
        }
        let result = work().await?;
        self.heartbeat();
        {
            let kept = (name.to_owned(), serde_json::to_value(&result)?);
            let mut log = self.log();
            let place = log.steps.len();
            log.reached.push(place);
            log.steps.push(kept);
        }
        let shared = &self.0.place.shared;
        shared.keep_tasks(vec![self.record()]).await.map_err(NodeError::of_run)?;
        shared.saved().await.map_err(NodeError::of_run)?;
        Ok(result)
    }

    fn known_step(&self, name: &str) -> Option<serde_json::Value> {
        let mut log = self.log();
        let place = log
            .steps
            .iter()
            .enumerate()
            .position(|(place, (known, _))| known == name && !log.reached.contains(&place))?;
        log.reached.push(place);
        Some(log.steps[place].1.clone())
    }
}
