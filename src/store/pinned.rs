//! A run is pinned to the definition of its graph: whoever has another one leaves it to those who have
//! it. Nobody may have it any more, so whoever finds it parks it for a while, and then ends it and says
//! so.
//!
//! One that is parked stands queued with a lease, which is not somebody's but that of all who have its
//! definition: they prolong it as long as they are there, and whoever of them claims the run takes it
//! away. An older version that knows nothing of it does that as well, since each of its own steps
//! overwrites or clears the lease.

use sqlx::AssertSqlSafe;

use super::rows::{big, from_json, instant};
use super::runs::{BEHIND, Held};
use super::{Store, StoreError, Tx};
use crate::approval::Requester;
use crate::base::{RunId, Span, Timestamp, WorkspaceId};

/// How long a run that could go on is left to those who have its definition, from when somebody without
/// it has found it: an older process that is about to be replaced, or the old configuration when it is
/// put back.
pub const PARKED: Span = Span::minutes(10);

/// What somebody can go on with: agents, each with the hash of its graph.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Definitions(Vec<String>);

/// A run that has not ended and began on a definition that somebody does not have.
#[derive(Clone, Debug)]
pub struct PinnedRun {
    pub id: RunId,
    pub agent: String,
    /// Absent until the directory has named them.
    pub requester: Option<Requester>,
    pub state: RunState,
    pub began_at: Timestamp,
}

/// How long somebody has looked for runs of definitions that they do not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watch {
    /// Only from now on: they have just started, or the database was away. Until now nobody may have been
    /// there to go on with what is parked, so that has all its time once more.
    Begins,
    Kept,
}

/// How a run is that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It could go on.
    Queued,
    /// It could go on, and whoever has another definition has left it alone so far.
    Parked { until: Timestamp },
    /// Another one of its conversation has to end first.
    Behind,
    /// Somebody has it.
    Running,
    /// People have to decide first.
    Waiting,
}

impl Definitions {
    pub fn of(agents: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(agents.into_iter().map(|(agent, hash)| format!("{agent} {hash}")).collect())
    }

    /// In SQL: whether a row of `runs` is among these, which are bound from `$first` on.
    pub(super) fn test(&self, first: usize) -> String {
        let places = (first..).take(self.0.len()).map(|nth| format!("${nth}"));
        // No key is empty; a list in SQL must not be.
        let places: Vec<String> = places.chain(["''".to_owned()]).collect();
        format!("(runs.agent || ' ' || runs.graph_hash) IN ({})", places.join(", "))
    }

    pub(super) fn keys(&self) -> &[String] {
        &self.0
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    agent: String,
    requester: Option<String>,
    state: String,
    lease_until: Option<i64>,
    created_at: i64,
}

impl Store {
    /// Parks what whoever has only these definitions cannot go on with, and prolongs what others have
    /// parked and these are the definitions of: to be busy for long is not to be gone.
    pub async fn park_runs(&self, known: &Definitions, watch: Watch) -> Result<(), StoreError> {
        let known = known.clone();
        self.write(move |tx| Box::pin(async move { park(tx, &known, watch).await })).await
    }

    /// The runs that whoever has only these definitions cannot go on with, oldest first.
    pub async fn pinned_to_others(
        &self,
        workspace: &WorkspaceId,
        known: &Definitions,
        limit: usize,
    ) -> Result<Vec<PinnedRun>, StoreError> {
        let question = format!(
            "SELECT id, agent, requester, lease_until, created_at,
                    CASE WHEN state = 'queued' AND {BEHIND} THEN 'behind' ELSE state END AS state
             FROM runs
             WHERE workspace = $1 AND state IN ('queued', 'running', 'waiting') AND NOT {}
             ORDER BY created_at, id LIMIT $2",
            known.test(3)
        );
        let asked =
            sqlx::query_as(AssertSqlSafe(question)).bind(workspace.as_str()).bind(big(limit));
        let asked = known.keys().iter().fold(asked, |asked, key| asked.bind(key));
        let rows: Vec<Row> = asked.fetch_all(&mut self.reader().await?).await?;
        rows.into_iter().map(pinned).collect()
    }
}

async fn park(tx: &mut Tx, known: &Definitions, watch: Watch) -> Result<(), StoreError> {
    let (now, until) = (tx.now.as_millis(), tx.now.plus(PARKED).as_millis());
    let prolonged = format!(
        "UPDATE runs SET lease_until = $1
         WHERE state = 'queued' AND lease_until IS NOT NULL AND ($2 = 1 OR {})",
        known.test(3)
    );
    let all = i64::from(watch == Watch::Begins);
    let prolonged = sqlx::query(AssertSqlSafe(prolonged)).bind(until).bind(all);
    let prolonged = known.keys().iter().fold(prolonged, |asked, key| asked.bind(key));
    prolonged.execute(&mut tx.conn).await?;
    let parked = format!(
        "UPDATE runs SET state = 'queued', owner = NULL, lease_until = $1, updated_at = $2
         WHERE ((state = 'queued' AND retry_at <= $2 AND lease_until IS NULL)
                OR (state = 'running' AND lease_until <= $2))
           AND NOT {} AND NOT {BEHIND}",
        known.test(3)
    );
    let parked = sqlx::query(AssertSqlSafe(parked)).bind(until).bind(now);
    let parked = known.keys().iter().fold(parked, |asked, key| asked.bind(key));
    parked.execute(&mut tx.conn).await?;
    Ok(())
}

/// What a run kept waiting that was parked, and ended so, was parked as long if it is of the same
/// definition.
pub(super) async fn give_up_the_next(tx: &mut Tx, ended: &Held) -> Result<(), StoreError> {
    let statement = format!(
        "UPDATE runs SET lease_until = $1
         WHERE thread_id = $2 AND state = 'queued'
           AND graph_hash = (SELECT graph_hash FROM runs AS ended WHERE ended.id = $3)
           AND NOT {BEHIND}"
    );
    sqlx::query(AssertSqlSafe(statement))
        .bind(tx.now.as_millis())
        .bind(ended.thread.as_str())
        .bind(ended.id.as_str())
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

fn pinned(row: Row) -> Result<PinnedRun, StoreError> {
    let requester = row.requester.as_deref().map(|text| from_json("requester", text));
    Ok(PinnedRun {
        id: RunId::existing(row.id),
        agent: row.agent,
        requester: requester.transpose()?,
        state: match (row.state.as_str(), row.lease_until) {
            ("queued", Some(until)) => RunState::Parked { until: instant(until) },
            ("queued", None) => RunState::Queued,
            ("behind", _) => RunState::Behind,
            ("running", _) => RunState::Running,
            ("waiting", _) => RunState::Waiting,
            (other, _) => return Err(StoreError::damaged("run", format!("it is {other}"))),
        },
        began_at: instant(row.created_at),
    })
}
