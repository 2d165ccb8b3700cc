//! A run is pinned to the definition of its graph: whoever has another one leaves it to those who have
//! it. Nobody may have it any more, so whoever comes by after a while ends it, and says so.

use sqlx::AssertSqlSafe;

use super::rows::{big, from_json, instant};
use super::{Store, StoreError};
use crate::approval::Requester;
use crate::base::{RunId, Span, Timestamp, WorkspaceId};

/// How long a run that could go on is left to those who have its definition: an older process that is
/// about to be replaced, or the old configuration when it is put back.
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

/// How a run is that has not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunState {
    /// It could go on.
    Queued,
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
    created_at: i64,
}

impl Store {
    /// The runs that whoever has only these definitions cannot go on with, oldest first.
    pub async fn pinned_to_others(
        &self,
        workspace: &WorkspaceId,
        known: &Definitions,
        limit: usize,
    ) -> Result<Vec<PinnedRun>, StoreError> {
        let question = format!(
            "SELECT id, agent, requester, state, created_at FROM runs
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

fn pinned(row: Row) -> Result<PinnedRun, StoreError> {
    let requester = row.requester.as_deref().map(|text| from_json("requester", text));
    Ok(PinnedRun {
        id: RunId::existing(row.id),
        agent: row.agent,
        requester: requester.transpose()?,
        state: match row.state.as_str() {
            "queued" => RunState::Queued,
            "running" => RunState::Running,
            "waiting" => RunState::Waiting,
            other => return Err(StoreError::damaged("run", format!("it is {other}"))),
        },
        began_at: instant(row.created_at),
    })
}
