//! What an input means for a thread as it was found.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Engine;
use crate::graph::{Input, Question, RunError, Snapshot, TaskOutcome, TaskWrites};

/// How a run begins.
pub(super) enum Opening {
    /// With new input, at the entry.
    Enter(Value),
    /// With what is pending. Asking to go on passes a pause; repeating an input does not.
    GoOn { answers: BTreeMap<String, Value>, passes_pause: bool },
}

pub(super) fn of(
    input: Input,
    snapshot: Option<&Snapshot>,
    run: &str,
) -> Result<Opening, RunError> {
    let go_on = |answers, passes_pause| Ok(Opening::GoOn { answers, passes_pause });
    match (input, snapshot.map(|snapshot| &snapshot.checkpoint)) {
        (Input::New(_) | Input::Restart(_), Some(latest)) if latest.run == run => {
            go_on(BTreeMap::new(), false)
        }
        (Input::New(input), Some(latest)) => {
            let sent = latest.sends.iter().map(|send| (*send.node).into());
            let next: Vec<_> = latest.due.iter().cloned().chain(sent).collect();
            if next.is_empty() {
                Ok(Opening::Enter(input))
            } else {
                Err(RunError::Pending { next })
            }
        }
        (Input::New(input), None) | (Input::Restart(input), _) => Ok(Opening::Enter(input)),
        (Input::Resume(answers), _) if answers.is_empty() => Err(RunError::NoAnswers),
        (Input::Resume(answers), Some(_)) => go_on(answers, true),
        (Input::Resume(answers), None) => {
            Err(RunError::UnknownInterrupts { ids: answers.into_keys().collect() })
        }
        (Input::Continue, Some(_)) => go_on(BTreeMap::new(), true),
        (Input::Continue, None) => Err(RunError::NothingToContinue),
    }
}

/// What is known of the tasks that are planned, in their order, with all answers put to their
/// questions. An answer that finds no question is refused here, before anything has run.
pub(super) fn records(
    engine: &Engine<'_>,
    writes: Vec<TaskWrites>,
    recorded: BTreeMap<String, Value>,
    given: BTreeMap<String, Value>,
) -> Result<Vec<Option<TaskOutcome>>, RunError> {
    let mut known: BTreeMap<String, TaskOutcome> =
        writes.into_iter().map(|task| (task.task, task.outcome)).collect();
    let mut records = Vec::new();
    if !known.is_empty() {
        for task in engine.position.tasks() {
            records.push(known.remove(&engine.task_id(&task)));
        }
    }
    if let Some(task) = known.into_keys().next() {
        let what = format!("it has work of task {task}, which is not planned");
        return Err(RunError::ForeignCheckpoint { what });
    }
    let mut unknown = Vec::new();
    for (id, answer) in recorded {
        match find(&mut records, &id) {
            Found::Open(question) | Found::Failed(question) => question.answer = Some(answer),
            Found::Spent => {}
            Found::Nowhere => unknown.push(id),
        }
    }
    for (id, answer) in given {
        match find(&mut records, &id) {
            Found::Open(question) | Found::Failed(question) => question.answer = Some(answer),
            Found::Spent | Found::Nowhere => unknown.push(id),
        }
    }
    if unknown.is_empty() { Ok(records) } else { Err(RunError::UnknownInterrupts { ids: unknown }) }
}

/// Where an interrupt's id leads.
enum Found<'a> {
    /// A question without an answer.
    Open(&'a mut Question),
    /// A question of a task that failed after the answer: it may be answered anew, else a wrong
    /// answer would stick.
    Failed(&'a mut Question),
    /// A question whose answer was used, or is there and waits for the task's next try.
    Spent,
    Nowhere,
}

fn find<'a>(records: &'a mut [Option<TaskOutcome>], id: &str) -> Found<'a> {
    for record in records.iter_mut().flatten() {
        match record {
            TaskOutcome::Finished { answered, .. } => {
                if answered.iter().any(|known| known == id) {
                    return Found::Spent;
                }
            }
            TaskOutcome::Asking { questions } => {
                if let Some(question) = questions.iter_mut().find(|known| known.id == id) {
                    return match question.answer {
                        None => Found::Open(question),
                        Some(_) => Found::Spent,
                    };
                }
            }
            TaskOutcome::Failed { questions } => {
                if let Some(question) = questions.iter_mut().find(|known| known.id == id) {
                    return Found::Failed(question);
                }
            }
        }
    }
    Found::Nowhere
}
