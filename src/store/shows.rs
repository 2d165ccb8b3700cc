//! What Slack threads show of runs: how far each has come, so that nothing is shown twice.

use super::rows::{big, count, from_json, json};
use super::runs::fenced;
use super::{Conn, RunInput, SlackThread, Store, StoreError, Tx};
use crate::approval::SlackUser;
use crate::base::{RunId, Span, Timestamp, WorkspaceId};
use crate::stream::Show;

/// The show of a run, held until the lease ends.
#[derive(Clone, Debug)]
pub struct ClaimedShow {
    pub run: RunId,
    pub place: SlackThread,
    /// For whom it is.
    pub user: SlackUser,
    pub show: Show,
    /// The last event that was taken in.
    pub seen: u64,
    pub epoch: u64,
}

/// How a show is left for the next time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// It is held on to: nothing else may happen meanwhile.
    Held,
    /// There is something to do at this instant and nothing before, whatever the run tells.
    Due(Timestamp),
    /// Nothing until the run tells more, or until this instant if there is one.
    Idle(Option<Timestamp>),
    /// Nothing any more.
    Over,
}

/// Which shows are gone on with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shows {
    All,
    /// Only those that have begun, and that what the run says at its end waits for.
    Begun,
}

impl Store {
    /// Takes at most `limit` shows whose run has told more, or that have something to do by now.
    /// One that somebody else left in the middle knows so.
    pub async fn claim_shows(
        &self,
        which: Shows,
        owner: &str,
        lease: Span,
        limit: usize,
    ) -> Result<Vec<ClaimedShow>, StoreError> {
        let owner = owner.to_owned();
        self.write(move |tx| Box::pin(async move { claim(tx, which, &owner, lease, limit).await }))
            .await
    }

    /// Writes down how far a show has come.
    pub async fn leave_show(&self, claimed: &ClaimedShow, left: Left) -> Result<(), StoreError> {
        let state = match left {
            Left::Over => "over",
            Left::Held => "live",
            Left::Due(_) | Left::Idle(_) if claimed.show.holds_the_answer_back() => "live",
            Left::Due(_) | Left::Idle(_) => "idle",
        };
        let (run, epoch, seen) = (claimed.run.clone(), claimed.epoch, claimed.seen);
        let body = json(&claimed.show)?;
        self.write(move |tx| {
            Box::pin(async move {
                let (retry_at, due_at) = match left {
                    Left::Due(at) => (at, Some(at)),
                    Left::Idle(until) => (tx.now, until),
                    Left::Held | Left::Over => (tx.now, None),
                };
                let written = sqlx::query(
                    // Whoever holds it may die: it is due again when the lease ends, as claimed.
                    "UPDATE shows SET body = $3, seen = $4, state = $5, retry_at = $7,
                            due_at = CASE WHEN $8 = 1 THEN due_at ELSE $6 END,
                            owner = CASE WHEN $8 = 1 THEN owner END,
                            lease_until = CASE WHEN $8 = 1 THEN lease_until END
                     WHERE run_id = $1 AND epoch = $2 AND state <> 'over'",
                )
                .bind(run.as_str())
                .bind(big(epoch))
                .bind(body)
                .bind(big(seen))
                .bind(state)
                .bind(due_at.map(Timestamp::as_millis))
                .bind(retry_at.as_millis())
                .bind(i64::from(left == Left::Held))
                .execute(&mut tx.conn)
                .await?;
                fenced(&written)
            })
        })
        .await
    }

    /// What a run's thread was shown of it, if anything.
    pub async fn show_of(&self, run: &RunId) -> Result<Option<Show>, StoreError> {
        let body: Option<String> = sqlx::query_scalar("SELECT body FROM shows WHERE run_id = $1")
            .bind(run.as_str())
            .fetch_optional(&mut self.reader().await?)
            .await?;
        body.map(|body| from_json("show", &body)).transpose()
    }
}

/// A run with a Slack thread is shown there from its first event on.
pub(super) async fn open(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    run: &RunId,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO shows (run_id, workspace, told, seen, body, state, epoch, retry_at)
         VALUES ($1, $2, 0, 0, $3, 'idle', 0, $4)",
    )
    .bind(run.as_str())
    .bind(workspace.as_str())
    .bind(json(&Show::default())?)
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// The run has told more.
pub(super) async fn told(conn: &mut Conn, run: &RunId, last: u64) -> Result<(), StoreError> {
    sqlx::query("UPDATE shows SET told = $2 WHERE run_id = $1")
        .bind(run.as_str())
        .bind(big(last))
        .execute(conn)
        .await?;
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Row {
    run_id: String,
    channel: String,
    thread_ts: String,
    input: String,
    body: String,
    seen: i64,
    epoch: i64,
    owner: Option<String>,
}

async fn claim(
    tx: &mut Tx,
    which: Shows,
    owner: &str,
    lease: Span,
    limit: usize,
) -> Result<Vec<ClaimedShow>, StoreError> {
    let due: Vec<Row> = sqlx::query_as(
        "SELECT run_id, channel, thread_ts, input, body, seen, shows.epoch, shows.owner
         FROM shows JOIN runs ON runs.id = run_id JOIN threads ON threads.id = thread_id
         WHERE shows.state <> 'over' AND shows.state IN ('live', $3) AND (told > seen OR due_at IS NOT NULL)
           AND shows.retry_at <= $1 AND (told > seen OR due_at <= $1)
           AND (shows.lease_until IS NULL OR shows.lease_until <= $1)
         ORDER BY shows.retry_at LIMIT $2",
    )
    .bind(tx.now.as_millis())
    .bind(big(limit))
    .bind(match which {
        Shows::All => "idle",
        Shows::Begun => "live",
    })
    .fetch_all(&mut tx.conn)
    .await?;
    let mut claimed = Vec::with_capacity(due.len());
    for row in due {
        sqlx::query(
            "UPDATE shows SET owner = $2, lease_until = $3, epoch = epoch + 1, state = 'live',
                    due_at = $3
             WHERE run_id = $1",
        )
        .bind(&row.run_id)
        .bind(owner)
        .bind(tx.now.plus(lease).as_millis())
        .execute(&mut tx.conn)
        .await?;
        let run = row.run_id.clone();
        match show(row) {
            Ok(show) => claimed.push(show),
            Err(error) => bury(tx, &run, &error).await?,
        }
    }
    Ok(claimed)
}

fn show(row: Row) -> Result<ClaimedShow, StoreError> {
    let input: RunInput = from_json("run input", &row.input)?;
    let mut show: Show = from_json("show", &row.body)?;
    if row.owner.is_some() {
        show.was_interrupted();
    }
    Ok(ClaimedShow {
        run: RunId::existing(row.run_id),
        place: SlackThread { channel: row.channel, thread_ts: row.thread_ts },
        user: input.user,
        show,
        seen: count("event", row.seen)?,
        epoch: count::<u64>("epoch", row.epoch)? + 1,
    })
}

/// A show that cannot be read must keep neither the others from going on, nor what its run says at its
/// end from being said.
async fn bury(tx: &mut Tx, run: &str, error: &StoreError) -> Result<(), StoreError> {
    tracing::error!(run, %error, "what a thread shows of a run cannot be read and is given up");
    sqlx::query(
        "UPDATE shows SET state = 'over', owner = NULL, lease_until = NULL WHERE run_id = $1",
    )
    .bind(run)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests;
