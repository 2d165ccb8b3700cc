//! What was reduced: each record that is not there whole is what a later one says was left of it.

use serde::Deserialize;
use serde_json::Value;

use super::Look;
use crate::audit::chain::Record;
use crate::audit::export::RecordRow;
use crate::audit::reduced::{ERASURE, Left, RETENTION};
use crate::base::{Span, Timestamp};
use crate::store::{StoreError, big};

/// How much is not there whole any more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reductions {
    /// Records of the log that have only a rest of their body.
    pub records: u64,
    /// When the retention reduced something for the first time and for the last.
    pub retention: Option<(Timestamp, Timestamp)>,
    /// In the order in which they were erased.
    pub erased: Vec<Erased>,
}

/// A person who was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// What stands for them.
    pub pseudonym: String,
    pub at: Timestamp,
    /// Who stands for it.
    pub by: String,
    pub with: String,
}

impl Reductions {
    fn take_in(&mut self, record: &Record) {
        if record.kind == RETENTION {
            let first = self.retention.map_or(record.at, |(first, _)| first);
            self.retention = Some((first, record.at));
        } else if self.erased.last().is_none_or(|last| last.pseudonym != record.subject) {
            let body: Value = serde_json::from_str(&record.body).unwrap_or_default();
            let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
            let (pseudonym, at) = (record.subject.clone(), record.at);
            self.erased.push(Erased { pseudonym, at, by: text("by"), with: text("with") });
        }
    }
}

/// No configuration keeps anything for less than a week. Clocks of replicas may differ by a little.
const KEPT: Span = Span::minutes(7 * 24 * 60 - 60);

/// What a batch of the retention took for old; nothing of an erasure, which takes what is new as well.
fn old_before(look: &mut Look, record: &Record) -> Option<Timestamp> {
    if record.kind != RETENTION {
        return None;
    }
    let body: Value = serde_json::from_str(&record.body).unwrap_or_default();
    let before = Timestamp::deserialize(&body["before"]).ok();
    if before.is_none_or(|before| before > record.at.minus(KEPT)) {
        let at = format!("{}:{}", record.workspace, record.seq);
        look.broken("I6", at, "it takes for old what is younger than a week");
    }
    before
}

/// Looks at a record of the chain, which may say what was left of earlier ones.
pub(super) async fn told(look: &mut Look, record: &Record) -> Result<(), StoreError> {
    if record.reduced_by.is_some() {
        look.reduced.records += 1;
    }
    if record.kind != RETENTION && record.kind != ERASURE {
        return Ok(());
    }
    look.reduced.take_in(record);
    let before = old_before(look, record);
    let left = Left::told_by(&record.body);
    let reduced: Vec<RecordRow> = sqlx::query_as(
        "SELECT workspace, seq, at, kind, subject, body, prev_hash, hash, reduced_by FROM audit
         WHERE workspace = $1 AND reduced_by = $2 ORDER BY seq",
    )
    .bind(record.workspace.as_str())
    .bind(big(record.seq))
    .fetch_all(&mut look.snapshot)
    .await?;
    for row in reduced {
        let rest = Record::try_from(row)?;
        if rest.kind.starts_with("request.") && before.is_some_and(|before| rest.at >= before) {
            let at = format!("{}:{}", record.workspace, rest.seq);
            look.broken("I6", at, "it is reduced, and it was not old");
        }
        if left.get(&rest.seq) != Some(&rest.hash_of_rest()) {
            let at = format!("{}:{}", record.workspace, rest.seq);
            look.broken("I6", at, "what is left of it is not what was left of it");
        }
    }
    Ok(())
}

/// Nothing is said to be reduced of which the log does not say so.
pub(super) async fn check(look: &mut Look) -> Result<(), StoreError> {
    look.none_such(
        "I6",
        "it is said to be reduced, and no later record says so",
        "SELECT workspace || ':' || CAST(seq AS TEXT) FROM audit AS old
         WHERE reduced_by IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM audit AS told WHERE told.workspace = old.workspace
             AND told.seq = old.reduced_by AND told.seq > old.seq AND told.kind IN ('desk.reduced', 'person.erased'))",
    )
    .await?;
    look.none_such(
        "I6",
        "the retention is said to have reduced it, and what it tells of is whole",
        "SELECT workspace || ':' || CAST(seq AS TEXT) FROM audit AS old
         WHERE reduced_by IS NOT NULL AND EXISTS (
           SELECT 1 FROM audit AS told WHERE told.workspace = old.workspace
             AND told.seq = old.reduced_by AND told.kind = 'desk.reduced')
         AND (EXISTS (SELECT 1 FROM requests WHERE id = old.subject AND reduced_at IS NULL)
           OR EXISTS (SELECT 1 FROM executions WHERE id = old.subject AND reduced_at IS NULL)
           OR EXISTS (SELECT 1 FROM runs WHERE id = old.subject AND reduced_at IS NULL))",
    )
    .await?;
    look.none_such(
        "I6",
        "it is said to be reduced, and its record in the log is whole",
        "SELECT id FROM requests WHERE reduced_at IS NOT NULL AND NOT EXISTS (
           SELECT 1 FROM audit WHERE subject = requests.id AND kind = 'request.opened'
             AND reduced_by IS NOT NULL)",
    )
    .await?;
    look.none_such(
        "I6",
        "it is said to be reduced, and its record in the log is whole",
        "SELECT id FROM executions WHERE reduced_at IS NOT NULL AND request_id IS NULL
           AND NOT EXISTS (
             SELECT 1 FROM audit WHERE subject = executions.id AND kind = 'execution.allowed'
               AND reduced_by IS NOT NULL)",
    )
    .await?;
    look.none_such(
        "I6",
        "it is reduced and its request is not, or the other way round",
        "SELECT executions.id FROM executions JOIN requests ON requests.id = request_id
         WHERE (executions.reduced_at IS NULL) <> (requests.reduced_at IS NULL)",
    )
    .await
}
