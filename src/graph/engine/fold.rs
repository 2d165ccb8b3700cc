//! Folds writes into the values, in the order given, and refuses those that cannot be.

use std::sync::Arc;

use crate::graph::graph::Unknown;
use crate::graph::reducer::{Folded, normalized};
use crate::graph::values::Values;
use crate::graph::{Change, Graph, Reducer, RunError, Update, Write, ids};

/// The keys that a superstep changed, by their places.
pub(in crate::graph) type Changes = Vec<(usize, Change)>;

/// One superstep's writes on their way into the values.
pub(in crate::graph) struct Folding<'g> {
    graph: &'g Graph,
    changes: Changes,
    /// Who wrote the keys that take one value.
    writers: Vec<(usize, Arc<str>)>,
    /// The keys that were overwritten: nothing else counts for them.
    overwritten: Vec<usize>,
}

impl<'g> Folding<'g> {
    pub(in crate::graph) fn of(graph: &'g Graph) -> Self {
        Self { graph, changes: Vec::new(), writers: Vec::new(), overwritten: Vec::new() }
    }

    /// Folds one update.
    pub(in crate::graph) fn fold(
        &mut self,
        values: &mut Values,
        writer: &Arc<str>,
        update: Update,
    ) -> Result<(), RunError> {
        let keys = &self.graph.keys;
        for (key, write) in update.writes {
            let Some(index) = keys.index(&key) else {
                return Err(RunError::UnknownKey { writer: Arc::clone(writer), key: key.into() });
            };
            let reducer = keys.reducer(index);
            if matches!(write, Write::Overwrite(_)) && reducer.reduces() {
                self.overwrite(index, writer)?;
            } else if self.overwritten.contains(&index) {
                continue;
            }
            self.take_turn(index, writer)?;
            let from = values.entries(index);
            if !self.changes.iter().any(|(changed, _)| *changed == index) && reducer.is_fleeting() {
                values.empty(index);
            }
            let folded = values.write(index, write).map_err(|why| RunError::BadWrite {
                writer: Arc::clone(writer),
                key: Arc::clone(keys.name(index)),
                why,
            })?;
            self.note(
                index,
                match (folded, from) {
                    (Folded::Appended, Some(from)) => Change::Appended { from },
                    (Folded::Appended | Folded::Replaced, _) => Change::Replaced,
                },
            );
        }
        Ok(())
    }

    /// Empties the fleeting keys that the superstep did not write, and gives all that changed.
    pub(in crate::graph) fn finish(mut self, values: &mut Values) -> Changes {
        for index in self.graph.keys.fleeting() {
            let written = self.changes.iter().any(|(changed, _)| changed == index);
            if !written && values.empty(*index) {
                self.changes.push((*index, Change::Removed));
            }
        }
        self.changes
    }

    /// What changed, without the superstep being over.
    pub(in crate::graph) fn changes(self) -> Changes {
        self.changes
    }

    /// Two overwrites of one key cannot both be the value.
    fn overwrite(&mut self, index: usize, writer: &Arc<str>) -> Result<(), RunError> {
        if self.overwritten.contains(&index) {
            let key = Arc::clone(self.graph.keys.name(index));
            return Err(RunError::Conflict { key, writers: vec![Arc::clone(writer)] });
        }
        self.overwritten.push(index);
        Ok(())
    }

    /// A key that takes one value may be written once.
    fn take_turn(&mut self, index: usize, writer: &Arc<str>) -> Result<(), RunError> {
        let keys = &self.graph.keys;
        if keys.reducer(index).takes_many() {
            return Ok(());
        }
        if let Some((_, first)) = self.writers.iter().find(|(written, _)| *written == index) {
            let writers = vec![Arc::clone(first), Arc::clone(writer)];
            return Err(RunError::Conflict { key: Arc::clone(keys.name(index)), writers });
        }
        self.writers.push((index, Arc::clone(writer)));
        Ok(())
    }

    fn note(&mut self, index: usize, change: Change) {
        match self.changes.iter_mut().find(|(changed, _)| *changed == index) {
            Some((_, known)) => *known = known.then(change),
            None => self.changes.push((index, change)),
        }
    }
}

/// Adds later changes to earlier ones.
pub(in crate::graph) fn add_changes(earlier: &mut Changes, later: &Changes) {
    for (key, change) in later {
        match earlier.iter_mut().find(|(known, _)| known == key) {
            Some((_, known)) => *known = known.then(*change),
            None => earlier.push((*key, *change)),
        }
    }
}

/// Brings an update into the form in which it is folded and kept: only known keys, and messages
/// in one form, with ids that follow from the task.
pub(super) fn prepare(
    graph: &Graph,
    writer: &Arc<str>,
    update: &mut Update,
    unknown: Unknown,
    task: impl Fn() -> String,
) -> Result<(), RunError> {
    let keys = &graph.keys;
    if let Some((key, _)) = update.writes.iter().find(|(key, _)| keys.index(key).is_none()) {
        if unknown == Unknown::Refused {
            let (writer, key) = (Arc::clone(writer), key.to_string());
            return Err(RunError::UnknownKey { writer, key });
        }
        tracing::warn!(%writer, %key, "a write to an unknown state key was dropped");
        update.writes.retain(|(key, _)| keys.index(key).is_some());
    }
    for (place, (key, write)) in update.writes.iter_mut().enumerate() {
        let Some(index) = keys.index(key) else { continue };
        if keys.reducer(index) != Reducer::Messages {
            continue;
        }
        let (Write::Value(value) | Write::Overwrite(value)) = write;
        let task = task();
        let new_id = |nth| ids::message(&task, &format!("{key}{place}"), nth);
        *value = normalized(value.take(), new_id).map_err(|why| RunError::BadWrite {
            writer: Arc::clone(writer),
            key: Arc::clone(keys.name(index)),
            why,
        })?;
    }
    Ok(())
}
