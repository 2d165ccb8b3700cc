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
                if !is_said(&mut tx.conn, &workspace, now).await? {
                    let entry = Entry {
                        workspace: &workspace,
                        kind: HELD,
                        subject: workspace.as_str(),
                        body: json!({ "clock": now, "last_at_work": seen }),
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
        Ok(goes_on(last_seen(&mut self.reader().await?, workspace, now).await?, now))
    }
}

/// A desk that has no record yet that is a day old has nothing that is.
fn goes_on(seen: Option<Timestamp>, now: Timestamp) -> bool {
    seen.is_none_or(|seen| seen >= now.minus(SILENCE))
}

/// The newest record that is a day old.
async fn last_seen(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    now: Timestamp,
) -> Result<Option<Timestamp>, StoreError> {
    let seen: Option<i64> = sqlx::query_scalar(
        "SELECT at FROM audit WHERE workspace = $1 AND at <= $2 ORDER BY seq DESC LIMIT 1",
    )
    .bind(workspace.as_str())
    .bind(now.minus(PATIENCE).as_millis())
    .fetch_optional(conn)
    .await?;
    Ok(seen.map(instant))
}

/// Is it said already, since a day or by a clock that was further ahead?
async fn is_said(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let said: Option<i64> = sqlx::query_scalar(
        "SELECT at FROM audit WHERE subject = $1 AND workspace = $1 AND kind = $2
         ORDER BY seq DESC LIMIT 1",
    )
    .bind(workspace.as_str())
    .bind(HELD)
    .fetch_optional(conn)
    .await?;
    Ok(said.map(instant).is_some_and(|said| said > now.minus(PATIENCE)))
}
