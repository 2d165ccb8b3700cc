//! Records of the log: what is left of their bodies.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::audit::{self, Record, RecordRow};
use crate::base::WorkspaceId;
use crate::store::rows::from_json;
use crate::store::{StoreError, Tx, big};

/// What is left of a record's body.
pub(in crate::store) struct Rest {
    seq: u64,
    body: Value,
}

impl Rest {
    pub(super) fn of(row: RecordRow) -> Result<Self, StoreError> {
        let record = Record::try_from(row)?;
        is_sound(&record)?;
        let body: Value = from_json("audit record", &record.body)?;
        Ok(Self { seq: record.seq, body: audit::remains(&body) })
    }

    /// All of it but for the salt, for somebody who is to go from it.
    pub(in crate::store) fn as_it_stands(row: RecordRow) -> Result<Self, StoreError> {
        let record = Record::try_from(row)?;
        is_sound(&record)?;
        let mut body: Value = from_json("audit record", &record.body)?;
        if let Some(fields) = body.as_object_mut() {
            fields.remove("salt");
        }
        Ok(Self { seq: record.seq, body })
    }

    /// The number of its record.
    pub(in crate::store) fn number(&self) -> u64 {
        self.seq
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

/// The bodies that are left, by the numbers of their records.
pub(super) struct Bodies(BTreeMap<u64, String>);

impl Bodies {
    pub(super) fn of(rests: Vec<Rest>) -> Result<Self, StoreError> {
        let body = |rest: Rest| {
            let body = serde_json_canonicalizer::to_string(&rest.body);
            Ok((rest.seq, body.map_err(|error| StoreError::damaged("audit record", error))?))
        };
        rests.into_iter().map(body).collect::<Result<_, _>>().map(Self)
    }

    /// As the record that tells of them has them.
    pub(super) fn told(&self) -> Vec<(u64, String)> {
        self.0.iter().map(|(seq, body)| (*seq, audit::hash(body))).collect()
    }

    /// Puts them in the place of what was there; `by` is the record that tells of it.
    pub(super) async fn put(
        self,
        tx: &mut Tx,
        workspace: &WorkspaceId,
        by: u64,
    ) -> Result<(), StoreError> {
        for (seq, body) in self.0 {
            sqlx::query(
                "UPDATE audit SET body = $3, reduced_by = $4 WHERE workspace = $1 AND seq = $2",
            )
            .bind(workspace.as_str())
            .bind(big(seq))
            .bind(body)
            .bind(big(by))
            .execute(&mut tx.conn)
            .await?;
        }
        Ok(())
    }
}
