//! What is kept of a superstep that is not complete: finished tasks do not run again, questions
//! wait for answers, answers survive a failure.

use super::task::{Finished, Outcome};
use super::{Engine, Task};
use crate::graph::engine::position::fold;
use crate::graph::{RunEnd, RunError, TaskOutcome, TaskWrites, Turn, TurnStatus};

impl Engine<'_> {
    /// Saves what is known of the tasks, and ends the run: with its open questions, or with the
    /// failure of a task. After a failure nothing is surfaced, since nobody could go on with it.
    pub(super) async fn suspend(
        &self,
        tasks: &[Task],
        outcomes: Vec<Option<Outcome>>,
    ) -> Result<RunEnd, RunError> {
        let mut kept = Vec::new();
        let mut finished = Vec::new();
        let mut interrupts = Vec::new();
        let mut failure = None;
        for (task, outcome) in tasks.iter().zip(outcomes) {
            match outcome {
                Some(Outcome::Finished(done)) => finished.push((task, done)),
                Some(Outcome::Asking { questions }) => {
                    interrupts.extend(self.open_interrupts(task, &questions));
                    kept.push((task, TaskOutcome::Asking { questions }));
                }
                Some(Outcome::Failed { questions, error }) => {
                    kept.push((task, TaskOutcome::Failed { questions }));
                    failure = Some(error);
                }
                None => {}
            }
        }
        let status = match failure {
            None => TurnStatus::Interrupted,
            Some(_) => TurnStatus::Failed,
        };
        if failure.is_some() {
            interrupts.clear();
            kept.retain(is_worth_keeping);
        }
        // Writes that cannot be applied together are refused now, before they are kept.
        let mut values = self.position.values.clone();
        let updates = finished
            .iter()
            .map(|(task, done)| (&self.graph.nodes[task.node].name, done.update.clone()));
        fold(self.graph, &mut values, updates)?;

        let fresh = finished.into_iter().filter(|(_, done)| !done.cached);
        kept.extend(fresh.map(|(task, done)| (task, self.finished(done))));
        let writes: Vec<_> = kept
            .into_iter()
            .map(|(task, outcome)| TaskWrites {
                task: self.task_id(task),
                node: self.graph.nodes[task.node].name.clone(),
                outcome,
            })
            .collect();
        if self.saver.keeps() && !(failure.is_some() && writes.is_empty()) {
            let interrupts = interrupts.clone();
            let consumed = Vec::new();
            self.saver
                .save(Turn { checkpoint: None, writes, interrupts, consumed, status })
                .await?;
        }
        match failure {
            None => Ok(RunEnd::Interrupted { state: values.into(), interrupts }),
            Some(error) => Err(error),
        }
    }

    fn finished(&self, done: Finished) -> TaskOutcome {
        let targets = done.leads.iter().map(|lead| lead.target(self.graph)).collect();
        TaskOutcome::Finished { update: done.update, targets, answered: done.answered }
    }
}

/// Whether a failed superstep has something to keep of this task. Questions without any answer
/// are simply asked again; beside answered ones they stay, since they hold their positions.
fn is_worth_keeping((_, outcome): &(&Task, TaskOutcome)) -> bool {
    match outcome {
        TaskOutcome::Finished { .. } => true,
        TaskOutcome::Asking { questions } | TaskOutcome::Failed { questions } => {
            questions.iter().any(|question| question.answer.is_some())
        }
    }
}
