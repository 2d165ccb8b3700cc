//! Between the graph's checkpoints and rows.

use serde_json::Error;

use super::{NewCheckpoint, NewValue, NewWrites, StoredSnapshot};
use crate::graph::{Checkpoint, Snapshot, Stored, StoredChange, TaskRecord};

impl TryFrom<Checkpoint> for NewCheckpoint {
    type Error = Error;

    fn try_from(checkpoint: Checkpoint) -> Result<Self, Error> {
        let (id, parent) = (checkpoint.id.clone(), checkpoint.parent.clone());
        let (namespace, step) = (checkpoint.namespace.clone(), checkpoint.step);
        let Stored { body, keys, changes } = checkpoint.into_stored()?;
        let value = |StoredChange { key, start, value }| NewValue { key, start, value };
        let changes = changes.into_iter().map(value).collect();
        Ok(Self { id, parent, namespace, step, body, keys, changes })
    }
}

impl TryFrom<&TaskRecord> for NewWrites {
    type Error = Error;

    fn try_from(record: &TaskRecord) -> Result<Self, Error> {
        Ok(Self { task: record.task.clone(), body: serde_json::to_value(record)? })
    }
}

impl TryFrom<StoredSnapshot> for Snapshot {
    type Error = Error;

    fn try_from(stored: StoredSnapshot) -> Result<Self, Error> {
        let StoredSnapshot { checkpoint, writes, answers } = stored;
        let tasks = writes.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?;
        let checkpoint = Checkpoint::from_stored(checkpoint.body, checkpoint.values)?;
        Ok(Self { checkpoint, tasks, answers })
    }
}
