//! What an input means for a thread as it was found.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::graph::run::Stray;
use crate::graph::shared::Shared;
use crate::graph::{Checkpoint, Command, Input, Resume, RunError, Snapshot, Update};

/// What a run is started for.
pub(super) enum Wanted {
    ByCaller(Input),
    /// By a task that runs this graph. It comes with the same input whenever it starts again.
    ByTask {
        input: Value,
        passes_pause: bool,
    },
}

/// How a run begins.
pub(super) enum Opening {
    /// At the entry.
    Enter(Entering),
    /// With what is pending.
    GoOn(GoingOn),
}

/// What is taken in at the entry.
pub(super) struct Entering {
    /// As it was given.
    pub(super) raw: Value,
    pub(super) update: Update,
}

/// What a run goes on with. Asking to go on passes a pause; repeating an input does not.
#[derive(Default)]
pub(super) struct GoingOn {
    pub(super) answers: Answers,
    /// Writes and jumps from outside.
    pub(super) command: Option<Update>,
    pub(super) passes_pause: bool,
    /// Whether somebody asked for it, who is then told from where it goes on.
    pub(super) told: bool,
}

/// Answers as they were given.
#[derive(Default)]
pub(super) enum Answers {
    #[default]
    None,
    ById(BTreeMap<String, Value>),
    ToTheOne(Value),
}

pub(super) fn of(
    wanted: Wanted,
    snapshot: Option<&Snapshot>,
    shared: &Shared,
) -> Result<Opening, RunError> {
    let latest = snapshot.map(|snapshot| &snapshot.checkpoint);
    let same_maker = latest.is_some_and(|latest| latest.run == *shared.maker);
    let asked = |answers| {
        Ok(Opening::GoOn(GoingOn { answers, passes_pause: true, told: true, command: None }))
    };
    match wanted {
        Wanted::ByTask { passes_pause, .. } if same_maker => {
            Ok(Opening::GoOn(GoingOn { passes_pause, told: true, ..GoingOn::default() }))
        }
        Wanted::ByTask { input, .. } => entering(input),
        Wanted::ByCaller(Input::New(_) | Input::Restart(_)) if same_maker => {
            Ok(Opening::GoOn(GoingOn::default()))
        }
        Wanted::ByCaller(Input::New(input)) => match latest {
            Some(latest) if latest.is_pending() => {
                let sent = latest.sends.iter().map(|send| (*send.node).into());
                let mut next: Vec<_> = latest.due.iter().cloned().chain(sent).collect();
                if next.is_empty() {
                    next.push(crate::graph::START.into());
                }
                Err(RunError::Pending { next })
            }
            Some(_) | None => entering(input),
        },
        Wanted::ByCaller(Input::Restart(input)) => entering(input),
        Wanted::ByCaller(Input::Continue) => match latest {
            Some(_) => asked(Answers::None),
            None => Err(RunError::NothingToContinue),
        },
        Wanted::ByCaller(Input::Resume(answers))
            if answers.is_empty() && latest.is_some() && shared.stray == Stray::Ignored =>
        {
            asked(Answers::None)
        }
        Wanted::ByCaller(Input::Resume(answers)) => by_id(answers, latest, asked),
        Wanted::ByCaller(Input::Answer(answer)) => to_the_one(answer, latest, asked),
        Wanted::ByCaller(Input::Command(Command { resume, update })) => {
            let command = (update != Update::none()).then_some(update);
            let asked = |answers| {
                let command = command.clone();
                Ok(Opening::GoOn(GoingOn { answers, command, passes_pause: true, told: true }))
            };
            match (resume, latest) {
                (Some(Resume::ById(answers)), _) => by_id(answers, latest, asked),
                (Some(Resume::Answer(answer)), _) => to_the_one(answer, latest, asked),
                (None, _) if command.is_none() => Err(RunError::NoAnswers),
                (None, Some(_)) => asked(Answers::None),
                (None, None) => {
                    let update = command.unwrap_or_default();
                    let shown =
                        update.writes().map(|(key, write)| (key.to_owned(), write.to_value()));
                    Ok(Opening::Enter(Entering { raw: shown.collect(), update }))
                }
            }
        }
    }
}

fn by_id(
    answers: BTreeMap<String, Value>,
    latest: Option<&Checkpoint>,
    go_on: impl FnOnce(Answers) -> Result<Opening, RunError>,
) -> Result<Opening, RunError> {
    match latest {
        _ if answers.is_empty() => Err(RunError::NoAnswers),
        Some(_) => go_on(Answers::ById(answers)),
        None => Err(RunError::UnknownInterrupts { ids: answers.into_keys().collect() }),
    }
}

fn to_the_one(
    answer: Value,
    latest: Option<&Checkpoint>,
    go_on: impl FnOnce(Answers) -> Result<Opening, RunError>,
) -> Result<Opening, RunError> {
    match latest {
        Some(_) => go_on(Answers::ToTheOne(answer)),
        None => Err(RunError::Ambiguous { open: 0 }),
    }
}

pub(super) fn entering(raw: Value) -> Result<Opening, RunError> {
    let update = input_update(&raw)?;
    Ok(Opening::Enter(Entering { raw, update }))
}

/// An input as what `__start__` writes.
pub(super) fn input_update(raw: &Value) -> Result<Update, RunError> {
    match raw {
        Value::Object(fields) => Ok(fields
            .iter()
            .fold(Update::none(), |update, (key, value)| update.set(key.clone(), value.clone()))),
        _ => Err(RunError::InputNotAnObject),
    }
}
