//! Is everything in the database as promised? Recomputed from the rows alone.

mod chain;
mod executions;
mod requests;
mod runs;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::base::WorkspaceId;
use crate::store::{Store, StoreError};

/// A rule that the database breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `I1` … `I24`, or `chain`.
    pub invariant: &'static str,
    /// The row it was found at.
    pub subject: String,
    pub what: String,
}

/// The last record that somebody outside has written down: what the chain must still contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub workspace: WorkspaceId,
    pub seq: u64,
    pub hash: String,
}

/// Checks every chain and every invariant. An empty answer is a clean bill.
pub async fn verify(store: &Store, anchors: &[Anchor]) -> Result<Vec<Violation>, StoreError> {
    let mut found = Vec::new();
    chain::check(store, anchors, &mut found).await?;
    requests::check(store, &mut found).await?;
    executions::check(store, &mut found).await?;
    runs::check(store, &mut found).await?;
    Ok(found)
}

fn broken(
    found: &mut Vec<Violation>,
    invariant: &'static str,
    subject: impl Into<String>,
    what: impl Into<String>,
) {
    found.push(Violation { invariant, subject: subject.into(), what: what.into() });
}

/// Adds a violation for each row that a query finds; the query's one column names the row.
async fn none_such(
    store: &Store,
    found: &mut Vec<Violation>,
    invariant: &'static str,
    what: &str,
    query: &'static str,
) -> Result<(), StoreError> {
    let rows: Vec<String> =
        sqlx::query_scalar(query).fetch_all(&mut *store.reader().await?).await?;
    for row in rows {
        broken(found, invariant, row, what);
    }
    Ok(())
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.invariant, self.subject, self.what)
    }
}
