//! Records of the log: what is left of their bodies.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::audit::{self, Record, RecordRow};
use crate::base::WorkspaceId;
use crate::store::rows::from_json;
use crate::store::{StoreError, Tx, big};

/// A record, and what is left of its body.
pub(in crate::store) struct Rest {
    record: Record,
    body: Value,
}

impl Rest {
    pub(super) fn of(row: RecordRow) -> Result<Self, StoreError> {
        let record = Record::try_from(row)?;
        is_sound(&record)?;
        let body: Value = from_json("audit record", &record.body)?;
        Ok(Self { body: audit::remains(&body), record })
    }

    /// All of it but for the salt, for somebody who is to go from it.
    pub(in crate::store) fn as_it_stands(row: RecordRow) -> Result<Self, StoreError> {
        let record = Record::try_from(row)?;
        is_sound(&record)?;
        let mut body: Value = from_json("audit record", &record.body)?;
        if let Some(fields) = body.as_object_mut() {
            fields.remove("salt");
        }
        Ok(Self { record, body })
    }

    /// The number of its record.
    pub(in crate::store) fn number(&self) -> u64 {
        self.record.seq
    }

    /// What its body was before.
    pub(in crate::store) fn said(&self) -> &str {
        &self.record.body
    }

    pub(in crate::store) fn body(&mut self) -> &mut Value {
        &mut self.body
    }

    /// A hash in the body is that of another text from now on.
    pub(super) fn set_hash_of(&mut self, key: &str, text: &str) {
        if let Some(hash) = self.body.get_mut(key) {
            *hash = audit::hash(text).into();
        }
    }
}

/// A record that was changed after it was written stays as it is: somebody has to look at it.
fn is_sound(record: &Record) -> Result<(), StoreError> {
    if record.reduced_by.is_none() && record.hash != record.computed_hash() {
        return Err(StoreError::damaged("audit record", "changed after it was written"));
    }
    Ok(())
}

/// What is left of all that the log says of something.
pub(super) async fn of(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    subject: &str,
) -> Result<Vec<Rest>, StoreError> {
    let whole: Vec<RecordRow> = sqlx::query_as(
        "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by FROM audit
         WHERE subject = $2 AND workspace = $1 AND reduced_by IS NULL ORDER BY seq",
    )
    .bind(workspace.as_str())
    .bind(subject)
    .fetch_all(&mut tx.conn)
    .await?;
    whole.into_iter().map(Rest::of).collect()
}

/// The records with the bodies that are left.
pub(super) struct Bodies(Vec<Record>);

impl Bodies {
    pub(super) fn of(rests: Vec<Rest>) -> Result<Self, StoreError> {
        let mut records = BTreeMap::new();
        for Rest { record, body } in rests {
            let body = serde_json_canonicalizer::to_string(&body)
                .map_err(|error| StoreError::damaged("audit record", error))?;
            records.insert(record.seq, Record { body, ..record });
        }
        Ok(Self(records.into_values().collect()))
    }

    /// As the record that tells of them has them.
    pub(super) fn told(&self) -> Vec<(u64, String)> {
        self.0.iter().map(|record| (record.seq, record.hash_of_rest())).collect()
    }

    /// Puts them in the place of what was there; `by` is the record that tells of it.
    pub(super) async fn put(
        self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        by: u64,
    ) -> Result<(), StoreError> {
        for record in self.0 {
            sqlx::query(
                "UPDATE audit SET body = $3, reduced_by = $4 WHERE workspace = $1 AND seq = $2",
            )
            .bind(workspace.as_str())
            .bind(big(record.seq))
            .bind(record.body)
            .bind(big(by))
            .execute(&mut tx.conn)
            .await?;
        }
        Ok(())
    }
}
