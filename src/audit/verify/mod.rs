//! Is everything in the database as promised? Recomputed from the rows alone.

mod chain;
mod executions;
mod log;
mod reduced;
mod requests;
mod runs;

use std::fmt;
use std::str::FromStr;

pub use self::reduced::{Erased, Reductions};
use crate::base::WorkspaceId;
use crate::store::{Conn, Store, StoreError};

/// A rule that the database breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// `I1` … `I24`.
    pub invariant: &'static str,
    /// The row it was found at.
    pub subject: String,
    pub what: String,
}

/// The last record that somebody outside has written down: what the chain must still contain.
/// Written `workspace:seq:hash`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchor {
    pub workspace: WorkspaceId,
    pub seq: u64,
    pub hash: String,
}

/// What a verification found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Findings {
    /// Empty is a clean bill.
    pub violations: Vec<Violation>,
    /// Where each chain ends: kept outside, they make a tail that was cut off visible later.
    pub ends: Vec<Anchor>,
    /// What is not there whole any more.
    pub reduced: Reductions,
}

/// Checks every chain and every invariant, all in one snapshot: a desk may be writing meanwhile.
pub async fn verify(store: &Store, anchors: &[Anchor]) -> Result<Findings, StoreError> {
    let snapshot = store.snapshot().await?;
    let mut look = Look { snapshot, found: Vec::new(), reduced: Reductions::default() };
    let ends = chain::check(&mut look, anchors).await?;
    requests::check(&mut look).await?;
    executions::check(&mut look).await?;
    runs::check(&mut look).await?;
    log::check(&mut look).await?;
    reduced::check(&mut look).await?;
    Ok(Findings { violations: look.found, ends, reduced: look.reduced })
}

/// One state of the database, and what is wrong with it.
struct Look {
    snapshot: Conn,
    found: Vec<Violation>,
    reduced: Reductions,
}

impl Look {
    fn broken(
        &mut self,
        invariant: &'static str,
        subject: impl Into<String>,
        what: impl Into<String>,
    ) {
        self.found.push(Violation { invariant, subject: subject.into(), what: what.into() });
    }

    /// Adds a violation for each row that a query finds; the query's one column names the row.
    async fn none_such(
        &mut self,
        invariant: &'static str,
        what: &str,
        query: &'static str,
    ) -> Result<(), StoreError> {
        let rows: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut self.snapshot).await?;
        for row in rows {
            self.broken(invariant, row, what);
        }
        Ok(())
    }
}

/// An anchor that is not written as `workspace:seq:hash`.
#[derive(Debug, thiserror::Error)]
#[error("an anchor is written workspace:number:hash, as `verify` prints it")]
pub struct NotAnAnchor;

impl FromStr for Anchor {
    type Err = NotAnAnchor;

    fn from_str(text: &str) -> Result<Self, NotAnAnchor> {
        let mut parts = text.rsplitn(3, ':');
        let (hash, seq, workspace) = (parts.next(), parts.next(), parts.next());
        let (Some(hash), Some(seq), Some(workspace)) = (hash, seq, workspace) else {
            return Err(NotAnAnchor);
        };
        let seq = seq.parse().map_err(|_| NotAnAnchor)?;
        Ok(Self { workspace: WorkspaceId::existing(workspace), seq, hash: hash.to_owned() })
    }
}

impl fmt::Display for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.workspace, self.seq, self.hash)
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at {}: {}", self.invariant, self.subject, self.what)
    }
}
