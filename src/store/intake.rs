//! What comes in is taken once: messages, clicks, dialogs.

use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::rows::json;
use super::{Conn, NewNotice, Store, StoreError, Tx, notices, shows};
use crate::approval::SlackUser;
use crate::audit::{self, Entry};
use crate::base::failpoint::{self, Point};
use crate::base::{RunId, ThreadId, WorkspaceId};
use crate::stream::Modes;

/// A message that an agent should answer.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub workspace: WorkspaceId,
    /// Names the delivery: `event:<event_id>`.
    pub event_key: String,
    /// Names the message: one message arrives as several events when it mentions the bot.
    pub message_key: String,
    /// Of what the message says; another content under the same keys is a conflict.
    pub body_hash: String,
    pub agent: String,
    /// The definition of the graph that will run.
    pub graph_hash: String,
    pub channel: String,
    /// The `ts` of the conversation's root message.
    pub thread_ts: String,
    pub user: SlackUser,
    pub text: String,
    pub ts: String,
    /// What the thread hears if an earlier message of it is not settled yet.
    pub told_to_wait: String,
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// A run was queued.
    New { run: RunId },
    /// It had been taken before.
    Again,
    /// The same keys came with another content: nothing was taken.
    Conflict,
}

/// One conversation with an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    pub id: ThreadId,
    pub agent: String,
    /// Absent when a caller of the API holds it: then nothing of it is said in Slack.
    pub slack: Option<SlackThread>,
}

/// Where a conversation lives in Slack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SlackThread {
    pub channel: String,
    /// The `ts` of the root message.
    pub thread_ts: String,
}

impl SlackThread {
    pub(super) fn of(channel: Option<String>, thread_ts: Option<String>) -> Option<Self> {
        channel.zip(thread_ts).map(|(channel, thread_ts)| Self { channel, thread_ts })
    }
}

/// What a run was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInput {
    pub text: String,
    pub user: SlackUser,
    /// Of the message that asked, if it was one in Slack.
    pub ts: Option<String>,
    /// The stream modes that are told beside the plain events.
    #[serde(default, skip_serializing_if = "Modes::is_empty")]
    pub modes: Modes,
}

impl Store {
    /// Takes a message in: dedup by event and by message, thread and queued run, in one commit.
    pub async fn take_message(&self, message: NewMessage) -> Result<Taken, StoreError> {
        self.write(move |tx| Box::pin(async move { take(tx, &message).await })).await
    }

    /// The conversation that lives in this Slack thread, if an agent takes part in it.
    pub async fn thread_of(
        &self,
        workspace: &WorkspaceId,
        channel: &str,
        thread_ts: &str,
    ) -> Result<Option<Thread>, StoreError> {
        let found = thread(&mut self.reader().await?, workspace, channel, thread_ts).await?;
        if found.is_some() || !self.may_be_behind() {
            return Ok(found);
        }
        let (workspace, channel) = (workspace.clone(), channel.to_owned());
        let thread_ts = thread_ts.to_owned();
        self.write(move |tx| {
            Box::pin(async move { thread(&mut tx.conn, &workspace, &channel, &thread_ts).await })
        })
        .await
    }
}

async fn take(tx: &mut Tx, message: &NewMessage) -> Result<Taken, StoreError> {
    let workspace = &message.workspace;
    for key in [&message.event_key, &message.message_key] {
        if let Some(seen) = seen(tx, workspace, key).await? {
            let same = seen.body_hash == message.body_hash;
            return Ok(if same { Taken::Again } else { Taken::Conflict });
        }
    }
    let thread = match thread(&mut tx.conn, workspace, &message.channel, &message.thread_ts).await?
    {
        Some(thread) => thread,
        None => new_thread(tx, message).await?,
    };
    let ahead: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM runs
         WHERE thread_id = $1 AND state IN ('queued', 'running', 'waiting')",
    )
    .bind(thread.id.as_str())
    .fetch_one(&mut tx.conn)
    .await?;
    let input = RunInput {
        text: message.text.clone(),
        user: message.user.clone(),
        ts: Some(message.ts.clone()),
        modes: Modes::default(),
    };
    let run = queue(tx, workspace, &thread, &message.graph_hash, &input).await?;
    let verdict = json!({ "run": run }).to_string();
    for key in [&message.event_key, &message.message_key] {
        remember(tx, workspace, key, &message.body_hash, &verdict).await?;
    }
    let entry = Entry {
        workspace,
        kind: "run.queued",
        subject: run.as_str(),
        body: json!({
            "agent": message.agent, "thread": thread.id, "user": message.user,
            "event": message.event_key, "message": message.message_key,
            "body_hash": message.body_hash, "graph": message.graph_hash,
        }),
    };
    audit::append(tx, entry).await?;
    // The first one that has to wait says so; the others need not.
    if ahead == 1 {
        let notice = NewNotice {
            workspace: workspace.clone(),
            request: None,
            run: Some(run.clone()),
            kind: "reply".to_owned(),
            body: json!({ "text": message.told_to_wait }),
        };
        notices::owe(tx, &notice).await?;
    }
    failpoint::reach(Point::MessageWritten);
    Ok(Taken::New { run })
}

async fn new_thread(tx: &mut Tx, message: &NewMessage) -> Result<Thread, StoreError> {
    let thread = Thread {
        id: ThreadId::new(tx.ids.as_ref()),
        agent: message.agent.clone(),
        slack: Some(SlackThread {
            channel: message.channel.clone(),
            thread_ts: message.thread_ts.clone(),
        }),
    };
    sqlx::query(
        "INSERT INTO threads (id, workspace, agent, channel, thread_ts, created_at)
         VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(thread.id.as_str())
    .bind(message.workspace.as_str())
    .bind(&thread.agent)
    .bind(&message.channel)
    .bind(&message.thread_ts)
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(thread)
}

/// Queues a run at the end of its conversation.
pub(super) async fn queue(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    thread: &Thread,
    graph_hash: &str,
    input: &RunInput,
) -> Result<RunId, StoreError> {
    let run = RunId::new(tx.ids.as_ref());
    sqlx::query(
        "INSERT INTO runs (id, workspace, thread_id, agent, graph_hash, input, state, epoch,
                           attempts, retry_at, created_at, updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, 'queued', 0, 0, $7, $7, $7)",
    )
    .bind(run.as_str())
    .bind(workspace.as_str())
    .bind(thread.id.as_str())
    .bind(&thread.agent)
    .bind(graph_hash)
    .bind(json(input)?)
    .bind(tx.now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    if thread.slack.is_some() {
        shows::open(tx, workspace, &run).await?;
    }
    Ok(run)
}

async fn thread(
    conn: &mut Conn,
    workspace: &WorkspaceId,
    channel: &str,
    thread_ts: &str,
) -> Result<Option<Thread>, StoreError> {
    let found: Option<(String, String)> = sqlx::query_as(
        "SELECT id, agent FROM threads WHERE workspace = $1 AND channel = $2 AND thread_ts = $3",
    )
    .bind(workspace.as_str())
    .bind(channel)
    .bind(thread_ts)
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|(id, agent)| Thread {
        id: ThreadId::existing(id),
        agent,
        slack: Some(SlackThread { channel: channel.to_owned(), thread_ts: thread_ts.to_owned() }),
    }))
}

/// What is remembered of a delivery.
#[derive(sqlx::FromRow)]
pub(super) struct Seen {
    pub(super) body_hash: String,
    /// JSON: what was answered.
    pub(super) verdict: String,
}

/// Did this delivery come before?
pub(super) async fn seen(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    key: &str,
) -> Result<Option<Seen>, StoreError> {
    let seen =
        sqlx::query_as("SELECT body_hash, verdict FROM intake WHERE workspace = $1 AND key = $2")
            .bind(workspace.as_str())
            .bind(key)
            .fetch_optional(&mut tx.conn)
            .await?;
    Ok(seen)
}

pub(super) async fn remember(
    tx: &mut Tx,
    workspace: &WorkspaceId,
    key: &str,
    body_hash: &str,
    verdict: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO intake (workspace, key, body_hash, received_at, verdict)
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(workspace.as_str())
    .bind(key)
    .bind(body_hash)
    .bind(tx.now.as_millis())
    .bind(verdict)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Tells two contents under one delivery key apart.
pub(super) fn content_hash(content: &impl Serialize) -> Result<String, StoreError> {
    Ok(hex::encode(Sha256::digest(json(content)?)))
}
