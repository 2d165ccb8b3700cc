//! Conversations in which nothing was said for long: what was said, and what agents remember of it.
//!
//! One goes some runs at a time, because a caller may hold a single one for years, and whoever clicks
//! waits for each transaction. What its agent remembers goes with the last of them: if somebody writes
//! in it meanwhile, it goes on whole.

use std::collections::BTreeSet;

use super::records::{self, Rest};
use super::{
    ACTIONS_AT_ONCE, Batch, Passed, ROWS_AT_ONCE, RUNS_AT_ONCE, Told, beginning, executions, tell,
};
use crate::approval::Requester;
use crate::base::{Timestamp, WorkspaceId};
use crate::store::rows::{from_json, json};
use crate::store::{RunInput, Store, StoreError, Tx, big};

impl Store {
    /// Reduces some runs of one conversation whose last run ended before this, if there is one.
    pub async fn reduce_conversation(
        &self,
        workspace: &WorkspaceId,
        before: Timestamp,
        after: Option<Passed>,
    ) -> Result<Batch, StoreError> {
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let after = after.unwrap_or_else(beginning);
                let (found, thread) = match look(tx, &workspace, before, &after).await? {
                    Look::Quiet { run, thread } => (run, thread),
                    Look::NotYet(next) => return Ok(Batch { reduced: 0, next }),
                };
                let runs = whole(tx, &thread, &found).await?;
                let part = reduce(tx, &workspace, &thread, runs, Damage::IsLeft).await?;
                let what = "runs";
                let told = Told { workspace: &workspace, what, count: part.reduced, before };
                tell(tx, told, part.rests).await?;
                // A run that had too many actions for once is looked at again.
                let next = if part.begun.as_ref() == Some(&found.id) { after } else { found };
                Ok(Batch { reduced: part.reduced, next: Some(next) })
            })
        })
        .await
    }
}

/// What a look for a quiet conversation came to.
enum Look {
    Quiet {
        /// The run of it that has been whole for longest.
        run: Passed,
        thread: String,
    },
    /// None among these; how far it has come, if there are more.
    NotYet(Option<Passed>),
}

pub(super) const OLD: &str = "SELECT updated_at, id, thread_id FROM runs
    WHERE workspace = $1 AND state IN ('done', 'failed') AND reduced_at IS NULL
      AND updated_at < $2 AND (updated_at > $3 OR (updated_at = $3 AND id > $4))
    ORDER BY updated_at, id LIMIT $5";

/// What keeps a conversation whole. Nothing of it may be new, open, owed, or still to be looked at by
/// somebody; what a person has found out is new when they did.
pub(super) const LIVELY: &str = "SELECT id FROM runs WHERE thread_id = $1 AND (
    state NOT IN ('done', 'failed') OR updated_at >= $2
    OR EXISTS (
      SELECT 1 FROM executions WHERE run_id = runs.id AND (
        ended_at IS NULL OR (executions.state = 'unknown' AND (settled IS NULL
          OR EXISTS (SELECT 1 FROM audit WHERE subject = executions.id
               AND kind = 'execution.settled' AND at >= $2)))))
    OR EXISTS (SELECT 1 FROM notices WHERE run_id = runs.id AND notices.state = 'owed'))
  LIMIT 1";

/// Looks at the runs that have been whole for longest. A conversation that goes on may have thousands
/// of them, so each conversation is looked at once.
async fn look(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    before: Timestamp,
    after: &Passed,
) -> Result<Look, StoreError> {
    let old: Vec<(i64, String, String)> = sqlx::query_as(OLD)
        .bind(workspace.as_str())
        .bind(before.as_millis())
        .bind(after.at)
        .bind(&after.id)
        .bind(big(ROWS_AT_ONCE))
        .fetch_all(&mut tx.conn)
        .await?;
    let mut lively = BTreeSet::new();
    let mut last = None;
    for (at, id, thread) in old {
        let run = Passed { at, id };
        if !lively.contains(&thread) {
            if is_quiet(tx, &thread, before).await? {
                return Ok(Look::Quiet { run, thread });
            }
            lively.insert(thread);
        }
        last = Some(run);
    }
    Ok(Look::NotYet(last))
}

async fn is_quiet(tx: &mut Tx, thread: &str, before: Timestamp) -> Result<bool, StoreError> {
    let lively: Option<String> = sqlx::query_scalar(LIVELY)
        .bind(thread)
        .bind(before.as_millis())
        .fetch_optional(&mut tx.conn)
        .await?;
    Ok(lively.is_none())
}

/// Some runs of a conversation that are whole, from this one on.
async fn whole(tx: &mut Tx, thread: &str, from: &Passed) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar(
        "SELECT id FROM runs WHERE thread_id = $1 AND reduced_at IS NULL
           AND (updated_at > $2 OR (updated_at = $2 AND id >= $3))
         ORDER BY updated_at, id LIMIT $4",
    )
    .bind(thread)
    .bind(from.at)
    .bind(&from.id)
    .bind(big(RUNS_AT_ONCE))
    .fetch_all(&mut tx.conn)
    .await?)
}

/// What becomes of a run that somebody has changed behind the desk's back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Damage {
    /// It stays whole, and so does what the agent remembers: somebody may have to look at it.
    IsLeft,
    /// Nothing is reduced.
    IsAnError,
}

/// Some of a conversation that was reduced.
#[derive(Default)]
pub(in crate::store) struct Part {
    /// What is left of its records.
    pub(in crate::store) rests: Vec<Rest>,
    /// How many of the runs.
    pub(in crate::store) reduced: usize,
    /// A run that had more actions than go at once: some of them are reduced, and it is whole.
    pub(in crate::store) begun: Option<String>,
}

/// Reduces these runs of a conversation, as far as they are whole, and what its agent remembers when
/// none is whole any more.
pub(in crate::store) async fn reduce(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    thread: &str,
    runs: Vec<String>,
    damage: Damage,
) -> Result<Part, StoreError> {
    let mut part = Part::default();
    let mut room = ACTIONS_AT_ONCE;
    for run in runs {
        // What is damaged is found before anything of the run is written.
        let actions = match executions::allowed_in(tx, workspace, &run, room + 1).await {
            Err(error) => {
                damage.of(&run, error)?;
                continue;
            }
            Ok(actions) => actions,
        };
        if actions.len() > room {
            for action in actions.into_iter().take(room) {
                part.rests.extend(action.write(tx).await?);
            }
            part.begun = Some(run);
            break;
        }
        room -= actions.len();
        match reduced(tx, workspace, run.clone(), actions).await {
            Err(error) => damage.of(&run, error)?,
            Ok(None) => {}
            Ok(Some(reduced)) => {
                part.rests.extend(reduced.write(tx).await?);
                part.reduced += 1;
            }
        }
    }
    if part.begun.is_none() && !any_whole(tx, thread).await? {
        forget_memory(tx, thread).await?;
    }
    Ok(part)
}

impl Damage {
    fn of(self, run: &str, error: StoreError) -> Result<(), StoreError> {
        match (self, error) {
            (Self::IsLeft, error @ StoreError::Damaged { .. }) => {
                tracing::error!(run, %error, "is kept whole");
                Ok(())
            }
            (Self::IsLeft | Self::IsAnError, error) => Err(error),
        }
    }
}

async fn any_whole(tx: &mut Tx, thread: &str) -> Result<bool, StoreError> {
    let whole: Option<String> = sqlx::query_scalar(
        "SELECT id FROM runs WHERE thread_id = $1 AND reduced_at IS NULL LIMIT 1",
    )
    .bind(thread)
    .fetch_optional(&mut tx.conn)
    .await?;
    Ok(whole.is_some())
}

/// A run, and what is to be left of it.
struct Reduced {
    id: String,
    input: String,
    requester: Option<String>,
    rests: Vec<Rest>,
    allowed: Vec<executions::Reduced>,
}

/// Nothing of one that is reduced already.
async fn reduced(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    id: String,
    allowed: Vec<executions::Reduced>,
) -> Result<Option<Reduced>, StoreError> {
    let row: Option<(String, Option<String>)> =
        sqlx::query_as("SELECT input, requester FROM runs WHERE id = $1 AND reduced_at IS NULL")
            .bind(&id)
            .fetch_optional(&mut tx.conn)
            .await?;
    let Some((input, requester)) = row else { return Ok(None) };
    let input: RunInput = from_json("run input", &input)?;
    let requester = requester.map(|text| from_json::<Requester>("requester", &text)).transpose()?;
    Ok(Some(Reduced {
        input: json(&RunInput { text: String::new(), ..input })?,
        requester: requester.map(|requester| json(&requester.reduced())).transpose()?,
        rests: records::of(tx, workspace, &id).await?,
        allowed,
        id,
    }))
}

impl Reduced {
    /// Gives back what is left of its records, and of those of what it did without asking anybody.
    async fn write(self, tx: &mut Tx) -> Result<Vec<Rest>, StoreError> {
        sqlx::query(
            "UPDATE runs SET input = $2, requester = $3, error = NULL, reduced_at = $4
             WHERE id = $1",
        )
        .bind(&self.id)
        .bind(self.input)
        .bind(self.requester)
        .bind(tx.now.as_millis())
        .execute(&mut tx.conn)
        .await?;
        for statement in [
            // Whether there is an answer says what became of the question.
            "UPDATE interrupts SET value = '{}', answer = CASE WHEN answer IS NOT NULL THEN '{}' END
             WHERE run_id = $1",
            "DELETE FROM run_events WHERE run_id = $1",
            "DELETE FROM shows WHERE run_id = $1",
        ] {
            sqlx::query(statement).bind(&self.id).execute(&mut tx.conn).await?;
        }
        let mut rests = self.rests;
        for execution in self.allowed {
            rests.extend(execution.write(tx).await?);
        }
        Ok(rests)
    }
}

/// What the agent remembers of a conversation.
async fn forget_memory(tx: &mut Tx, thread: &str) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM pending_writes WHERE thread_id = $1",
        "DELETE FROM state_values WHERE thread_id = $1",
        "DELETE FROM checkpoints WHERE thread_id = $1",
    ] {
        sqlx::query(statement).bind(thread).execute(&mut tx.conn).await?;
    }
    Ok(())
}
