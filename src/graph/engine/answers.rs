//! Whose questions an input answers. An answer that finds none is refused here, before anything
//! has run or was kept, and so is one that does not fit what was asked for.

use std::collections::BTreeMap;

use serde_json::Value;

use super::opening::Answers;
use crate::graph::run::Stray;
use crate::graph::{Question, RunError, TaskRecord};

/// Puts all answers to their questions. `recorded` were accepted by the saver, `offered` by the
/// graph that runs this one, which knows of other questions too.
pub(super) fn put(
    records: &mut [Option<TaskRecord>],
    recorded: BTreeMap<String, Value>,
    offered: &BTreeMap<String, Value>,
    given: Answers,
    stray: Stray,
) -> Result<(), RunError> {
    let mut unknown = Vec::new();
    for (id, answer) in recorded {
        match find(records, &id) {
            Found::Open(question) | Found::Failed(question) => question.answer = Some(answer),
            Found::Spent => {}
            Found::Nowhere => unknown.push(id),
        }
    }
    for (id, answer) in offered {
        if let Found::Open(question) | Found::Failed(question) = find(records, id) {
            question.answer = Some(answer.clone());
        }
    }
    let given = match given {
        Answers::None => BTreeMap::new(),
        Answers::ById(answers) => answers,
        Answers::ToTheOne(answer) => match the_one(records) {
            Err(RunError::Ambiguous { open: 0 }) if stray == Stray::Ignored => BTreeMap::new(),
            one => [(one?, answer)].into(),
        },
    };
    let known = |records: &mut [_], id: &str| {
        matches!(find(records, id), Found::Open(_) | Found::Failed(_))
    };
    unknown.extend(given.keys().filter(|id| !known(records, id)).cloned());
    if !unknown.is_empty() && stray == Stray::Refused {
        return Err(RunError::UnknownInterrupts { ids: unknown });
    }
    for (id, answer) in given {
        if let Found::Open(question) | Found::Failed(question) = find(records, &id) {
            check(question, &answer)?;
            question.answer = Some(answer);
        }
    }
    Ok(())
}

/// The id of the one question that is open, or of the one that a failed task may be answered anew.
fn the_one(records: &[Option<TaskRecord>]) -> Result<String, RunError> {
    let known = || records.iter().flatten().filter(|record| record.done.is_none());
    let open: Vec<_> = known().flat_map(TaskRecord::open).collect();
    let anew = || known().filter(|record| record.error.is_some()).flat_map(TaskRecord::all);
    let candidates = if open.is_empty() { anew().collect() } else { open };
    match &*candidates {
        [question] => Ok(question.id.clone()),
        several => Err(RunError::Ambiguous { open: several.len() }),
    }
}

fn check(question: &Question, answer: &Value) -> Result<(), RunError> {
    let Some(schema) = &question.schema else {
        return Ok(());
    };
    let refused = |why: String| RunError::BadAnswer { id: question.id.clone(), why };
    let validator =
        jsonschema::validator_for(schema).map_err(|error| refused(error.to_string()))?;
    validator.validate(answer).map_err(|error| refused(error.to_string()))
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

fn find<'a>(records: &'a mut [Option<TaskRecord>], id: &str) -> Found<'a> {
    for record in records.iter_mut().flatten() {
        let (done, failed) = (record.done.is_some(), record.error.is_some());
        let mut questions = record.questions.iter_mut().chain(&mut record.inner);
        if let Some(question) = questions.find(|question| question.id == id) {
            return match question.answer {
                _ if done => Found::Spent,
                None => Found::Open(question),
                Some(_) if failed => Found::Failed(question),
                Some(_) => Found::Spent,
            };
        }
    }
    Found::Nowhere
}
