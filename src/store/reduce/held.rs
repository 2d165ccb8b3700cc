//! Is the clock to be believed? What goes is gone for good, so a clock that jumped ahead must not say
//! what is old.
//!
//! Only the log remembers for longer than a process lives. A clock is believed by which the desk was at
//! work a day ago, or at most three: after a jump nothing was.

use serde_json::json;

use crate::audit::{self, Entry};
use crate::base::{Span, Timestamp, WorkspaceId};
use crate::store::{Conn, Store, StoreError, instant};

/// For so long a clock must have gone on as it does.
const PATIENCE: Span = Span::minutes(24 * 60);
/// So long a desk may have had nothing to write down. A weekend is shorter.
const SILENCE: Span = Span::minutes(3 * 24 * 60);

/// The kind of a record that says that the clock is not believed.
const HELD: &str = "retention.held";

impl Store {
    /// Whether what is old by this clock may go. If not, the log says so, and what it says is what the
    /// clock is believed by a day later.
    pub async fn believes(
        &self,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if self.was_at_work(workspace, now).await? {
            return Ok(true);
        }
        let workspace = workspace.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let seen = last_seen(&mut tx.conn, &workspace, now).await?;
                if goes_on(seen, now) {
                    return Ok(true);
                }
                if !is_said(&mut tx.conn, &workspace, seen).await? {
                    let entry = Entry {
                        workspace: &workspace,
                        kind: HELD,
                        subject: workspace.as_str(),
                        body: json!({ "clock": now, "last_at_work": seen.map(|seen| seen.at) }),
                    };
                    audit::append(tx, entry).await?;
                }
                Ok(false)
            })
        })
        .await
    }

    /// The same for somebody who only looks.
    pub async fn was_at_work(
        &self,
        workspace: &WorkspaceId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        Ok(goes_on(last_seen(&mut self.snapshot().await?, workspace, now).await?, now))
    }
}

/// A record by which the desk was at work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) number: i64,
    at: Timestamp,
}

/// A desk that has no record yet that is a day old has nothing that is.
fn goes_on(seen: Option<Seen>, now: Timestamp) -> bool {
    seen.is_none_or(|seen| seen.at >= now.minus(SILENCE))
}

pub(super) const AT: &str =
    "SELECT seq, at FROM audit WHERE workspace = $1 AND seq >= $2 ORDER BY seq LIMIT 1";

/// The newest record that is a day old. A log has millions, and the time in it never goes back: so the
/// place is found by halving, and not by reading up to it.
pub(super) async fn last_seen(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    now: Timestamp,
) -> Result<Option<Seen>, StoreError> {
    let head: Option<i64> = sqlx::query_scalar("SELECT seq FROM audit_heads WHERE workspace = $1")
        .bind(workspace.as_str())
        .fetch_optional(&mut *conn)
        .await?;
    let (mut seen, mut old, mut newest) = (None, 0, head.unwrap_or_default());
    while old < newest {
        let middle = newest - (newest - old) / 2;
        let found: Option<(i64, i64)> = sqlx::query_as(AT)
            .bind(workspace.as_str())
            .bind(middle)
            .fetch_optional(&mut *conn)
            .await?;
        match found.map(|(number, at)| Seen { number, at: instant(at) }) {
            Some(record) if record.at <= now.minus(PATIENCE) => {
                (seen, old) = (Some(record), record.number);
            }
            Some(_) | None => newest = middle - 1,
        }
    }
    Ok(seen)
}

pub(super) const SAID: &str = "SELECT seq FROM audit
    WHERE subject = $1 AND workspace = $1 AND kind = $2 AND seq > $3 LIMIT 1";

/// Is it said already, since a day or by a clock that was further ahead? What was written since comes
/// after the last record that is a day old.
async fn is_said(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    seen: Option<Seen>,
) -> Result<bool, StoreError> {
    let said: Option<i64> = sqlx::query_scalar(SAID)
        .bind(workspace.as_str())
        .bind(HELD)
        .bind(seen.map_or(0, |seen| seen.number))
        .fetch_optional(conn)
        .await?;
    Ok(said.is_some())
}
