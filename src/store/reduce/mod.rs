//! What is old is reduced, some at a time: each batch is one transaction with one record that tells
//! of it.
//!
//! Words, names, arguments and results go. What stays says who, when, under which rule and what came
//! of it, and answers whoever presses an old button. The chain of the log is one of hashes, so it
//! holds over bodies that are gone.

mod executions;
mod held;
mod lesser;
mod records;
mod requests;
mod runs;
#[cfg(test)]
mod tests;

use serde_json::json;

use self::records::Bodies;
pub(super) use self::records::Rest;
pub(super) use self::requests::{forget_what_cards_showed, reduce as request};
pub(super) use self::runs::{Damage, reduce as conversation};
use super::{StoreError, Tx};
use crate::audit::{self, Entry, Left};
use crate::base::failpoint::{self, Point};
use crate::base::{Timestamp, WorkspaceId};

/// Whoever clicks waits for no more than this many requests.
const REQUESTS_AT_ONCE: usize = 16;
/// The same for runs of a conversation.
pub(super) const RUNS_AT_ONCE: usize = 16;
/// And for what they did without asking anybody.
const ACTIONS_AT_ONCE: usize = 64;
/// The same for rows that are forgotten or reduced one by one.
const ROWS_AT_ONCE: usize = 200;

/// How far a walk through what is old has come: when the last one that was looked at happened, and its
/// id. What could not be reduced is looked at again by the next walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passed {
    at: i64,
    id: String,
}

/// What a batch came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub reduced: usize,
    /// Where the walk goes on; nothing when it is over.
    pub next: Option<Passed>,
}

fn beginning() -> Passed {
    Passed { at: i64::MIN, id: String::new() }
}

/// What a record tells of a batch.
struct Told<'a> {
    workspace: &'a WorkspaceId,
    /// `requests`, `runs`, …
    what: &'static str,
    count: usize,
    before: Timestamp,
}

/// Writes the record of a batch, and what is left of the bodies that it has the hashes of.
async fn tell(tx: &mut Tx, told: Told<'_>, rests: Vec<Rest>) -> Result<(), StoreError> {
    if told.count == 0 && rests.is_empty() {
        return Ok(());
    }
    let entry = Entry {
        workspace: told.workspace,
        kind: audit::RETENTION,
        subject: told.workspace.as_str(),
        body: json!({
            "what": told.what, "count": told.count, "before": told.before,
        }),
    };
    write_down(tx, entry, rests).await
}

/// Writes a record that has the hashes of what is left of others, and then that.
pub(super) async fn write_down(
    tx: &mut Tx,
    mut entry: Entry<'_>,
    rests: Vec<Rest>,
) -> Result<(), StoreError> {
    let bodies = Bodies::of(rests)?;
    entry.body["left"] = json!(Left(bodies.told()));
    let workspace = entry.workspace;
    let by = audit::append_numbered(tx, entry).await?;
    bodies.put(tx, workspace, by).await?;
    failpoint::reach(Point::BatchReduced);
    Ok(())
}
