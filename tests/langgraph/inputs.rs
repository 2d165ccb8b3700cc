//! What a call gives to a run, as our runtime takes it.

use std::collections::BTreeMap;

use countersign::graph::{Command, HistoryFilter, Input, Interrupt, Resume, Source};
use serde_json::{Value, json};

use crate::expression::{COMMAND, special};
use crate::format::HistoryCall;
use crate::returned;

const BY_QUESTION: &str = "$resume_by";
const BY_SEEN: &str = "$resume_seen";

/// Whether the input names questions that are open right now.
pub fn needs_open(input: &Value) -> bool {
    special(input, BY_QUESTION).is_some()
}

/// New input drops what is pending, null goes on, a command answers, writes or jumps.
///
/// # Errors
/// When it answers a question that was not asked.
pub fn read(input: &Value, open: &[Interrupt], seen: &[Interrupt]) -> Result<Input, String> {
    if input.is_null() {
        return Ok(Input::Continue);
    }
    for (key, questions) in [(BY_QUESTION, open), (BY_SEEN, seen)] {
        if let Some(answers) = special(input, key) {
            return Ok(Input::Resume(by_question(answers, questions)?));
        }
    }
    match special(input, COMMAND) {
        Some(command) => self::command(command),
        None => Ok(Input::Restart(input.clone())),
    }
}

fn by_question(
    answers: &Value,
    questions: &[Interrupt],
) -> Result<BTreeMap<String, Value>, String> {
    let mut map = BTreeMap::new();
    for answer in answers.as_array().into_iter().flatten() {
        let asked = questions.iter().find(|question| question.value == answer["where"]);
        let Some(asked) = asked else { return Err(format!("nobody asked {}", answer["where"])) };
        map.insert(asked.id.clone(), answer["value"].clone());
    }
    Ok(map)
}

fn command(command: &Value) -> Result<Input, String> {
    let resume = match command.get("resume") {
        None | Some(Value::Null) => None,
        Some(Value::Object(map)) if map.keys().all(|key| is_id(key)) => {
            Some(Resume::ById(map.clone().into_iter().collect()))
        }
        Some(answer) => Some(Resume::Answer(answer.clone())),
    };
    let mut rest = command.clone();
    if let Some(rest) = rest.as_object_mut() {
        rest.remove("resume");
    }
    let writes = rest.as_object().is_some_and(|rest| !rest.is_empty());
    match (resume, writes) {
        (Some(Resume::Answer(answer)), false) => Ok(Input::Answer(answer)),
        (Some(Resume::ById(answers)), false) => Ok(Input::Resume(answers)),
        (None, false) => Err("the command holds nothing".into()),
        (resume, true) => {
            let update = returned::update(&json!({ COMMAND: rest }));
            let update = update.map_err(|_| format!("{command} is no command"))?;
            Ok(Input::Command(Command { resume, update }))
        }
    }
}

/// A map of answers is told from any other object by the form of its keys.
fn is_id(key: &str) -> bool {
    key.len() == 32 && key.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// What of a history is asked for.
///
/// # Errors
/// When it is asked for by something that a snapshot does not have.
pub fn filter(call: &HistoryCall) -> Result<HistoryFilter, String> {
    let mut filter = HistoryFilter { limit: call.limit, ..HistoryFilter::default() };
    for (key, value) in call.filter.iter().flatten() {
        match (&**key, value) {
            ("source", Value::String(source)) => {
                let all = [Source::Input, Source::Loop, Source::Update, Source::Fork];
                filter.source = all.into_iter().find(|known| known.name() == source);
                if filter.source.is_none() {
                    return Err(format!("the source {source} is unknown"));
                }
            }
            ("step", step) if step.is_i64() => filter.step = step.as_i64(),
            (key, _) => return Err(format!("a history cannot be filtered by {key}")),
        }
    }
    Ok(filter)
}
